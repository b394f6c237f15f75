/**
 * Several operations in one request, with a type for each result. Pure.
 */

import type { Zxid } from '../base/zxid.ts';
import { ErrorCode } from '../wire/error-codes.ts';
import { OpCode } from '../wire/opcodes.ts';
import type { CallFacts, CallOptions } from './client-core.ts';
import { errorNameOf, MultiError, refusal, type ZkError } from './errors.ts';
import {
  fromResult,
  type ReadOp,
  type ResultOf,
  sizeOf,
  toRequest,
  validateOperation,
  type WriteOp,
} from './operations.ts';
import { decoderOf } from './promise-call.ts';
import type { ZkApi } from './zk-api.ts';

export type ResultsOf<T extends readonly WriteOp[]> = { -readonly [K in keyof T]: ResultOf<T[K]> };
export type ReadResultsOf<T extends readonly ReadOp[]> = {
  -readonly [K in keyof T]: ResultOf<T[K]> | ZkError;
};

/** Type, done and error in front of each operation. */
const HEADER_BYTES = 9;

export function multiFacts<T extends readonly WriteOp[]>(ops: T, chroot: string): CallFacts<ResultsOf<T>> {
  const decode = decoderOf(OpCode.multi, ({ results }) => {
    // The reply says OK even then. Before the one that failed, results read error 0.
    const failed = results.findIndex((result) => result.op === OpCode.error && result.err !== ErrorCode.ok);
    if (failed < 0) return results.map((result) => fromResult(result, chroot)) as ResultsOf<T>;
    const codes = results.map((result) =>
      errorNameOf(result.op === OpCode.error ? result.err : ErrorCode.ok),
    );
    throw new MultiError(ops[failed]?.path ?? '', failed, codes);
  });
  return { ...together(OpCode.multi, ops, chroot), decode };
}

export function multiReadFacts<T extends readonly ReadOp[]>(
  ops: T,
  chroot: string,
): CallFacts<ReadResultsOf<T>> {
  const decode = decoderOf(OpCode.multiRead, ({ results }) => {
    const values = results.map((result, i) => {
      const one = ops[i]!;
      if (result.op !== OpCode.error) return fromResult(result, chroot);
      return refusal(result.err, toRequest(one, chroot).op, one.path);
    });
    return values as ReadResultsOf<T>;
  });
  return { ...together(OpCode.multiRead, ops, chroot), decode };
}

function together(
  opcode: typeof OpCode.multi | typeof OpCode.multiRead,
  ops: readonly (WriteOp | ReadOp)[],
  chroot: string,
): Pick<CallFacts<never>, 'request' | 'path' | 'bytes'> {
  for (const one of ops) validateOperation(one);
  const subs = ops.map((one) => toRequest(one, chroot));
  const bytes = ops.reduce((sum, one) => sum + sizeOf(one) + HEADER_BYTES, 0);
  return { request: { op: opcode, subs }, path: ops[0]?.path ?? '', bytes };
}

/** A multi that also tells its zxid: the moment at which all of it held. */
export function transact<const T extends readonly WriteOp[]>(
  zk: Pick<ZkApi, 'core' | 'chroot'>,
  ops: T,
  options: CallOptions = {},
): Promise<{ readonly zxid: Zxid; readonly results: ResultsOf<T> }> {
  const { decode, ...facts } = multiFacts<T>(ops, zk.chroot);
  const withZxid: CallFacts<{ zxid: Zxid; results: ResultsOf<T> }>['decode'] = (
    bytes,
    view,
    start,
    end,
    zxid,
  ) => ({
    zxid,
    results: decode(bytes, view, start, end, zxid),
  });
  return zk.core.call({ ...facts, fromError: null, decode: withZxid }, options);
}
