/**
 * What recorder and replay must know of a request frame: its numbers, its path, and which znodes it creates with
 * names that the server chooses. A frame is whole, with its length: `i32 length | i32 xid | i32 op | record`.
 */
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { JuteReader, MalformedRecord } from '../../src/wire/jute-reader.ts';
import { MultiRequest } from '../../src/wire/multi.ts';
import { CreateFlags, OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import { CreateRequest } from '../../src/wire/requests.ts';
import { type Response, readResponse } from '../../src/wire/responses.ts';

/** Where the record starts, and so the path of most requests. */
export const RECORD_AT = 12;
/** An error result of a multi. */
const FAILED_RESULT_BYTES = 13;

export function xidOf(frame: Uint8Array): number {
  return int32At(frame, 4);
}

export function opOf(frame: Uint8Array): number {
  return int32At(frame, 8);
}

export function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** True for requests that carry one path, in front. */
export function hasPath(op: number): boolean {
  switch (op) {
    case OpCode.ping:
    case OpCode.auth:
    case OpCode.sasl:
    case OpCode.multi:
    case OpCode.multiRead:
    case OpCode.reconfig:
    case OpCode.setWatches:
    case OpCode.setWatches2:
    case OpCode.whoAmI:
    case OpCode.closeSession:
    case OpCode.createSession:
      return false;
    default:
      return true;
  }
}

/** The path of a request with one; null when it has none, or is malformed. */
export function pathOf(op: number, frame: Uint8Array): string | null {
  if (!hasPath(op) || frame.length < RECORD_AT + 4) return null;
  const start = RECORD_AT + 4;
  const length = int32At(frame, RECORD_AT);
  if (length < 0 || length > frame.length - start) return null;
  return asBuffer(frame).toString('utf8', start, start + length);
}

/** Requests whose replies have an xid of their own, apart from the order of all others. */
export function hasOwnXid(xid: number): boolean {
  return xid === SpecialXid.ping || xid === SpecialXid.auth || xid === SpecialXid.setWatches;
}

/** For a create one number, for a multi the positions of its sequential creates. */
export type SequentialCreates = readonly number[];

const THE_ONLY_ONE: SequentialCreates = [0];
const create = new CreateRequest();
const multi = new MultiRequest();

/** Null when the request creates nothing with a sequential name. */
export function sequentialCreates(op: number, frame: Uint8Array): SequentialCreates | null {
  if (!isCreate(op) && op !== OpCode.multi) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (op === OpCode.multi) return sequentialSubs(frame, view);
  const whole = create.wrap(frame, view, RECORD_AT, frame.length);
  return whole && isSequential(create.flags) ? THE_ONLY_ONE : null;
}

function sequentialSubs(frame: Uint8Array, view: DataView): SequentialCreates | null {
  if (!multi.wrap(frame, view, RECORD_AT, frame.length)) return null;
  const positions: number[] = [];
  for (let i = 0; multi.next(); i++) {
    if (isCreate(multi.op) && isSequential(multi.create.flags)) positions.push(i);
  }
  return positions.length > 0 ? positions : null;
}

export function isCreate(op: number): boolean {
  return (
    op === OpCode.create || op === OpCode.create2 || op === OpCode.createContainer || op === OpCode.createTtl
  );
}

export function isSequential(flags: number): boolean {
  return (
    flags === CreateFlags.persistentSequential ||
    flags === CreateFlags.ephemeralSequential ||
    flags === CreateFlags.persistentSequentialTtl
  );
}

const NO_NAMES: readonly string[] = [];

/**
 * The names that a successful reply gives to the sequential creates of its request, in their order; empty when the
 * body is not what such a request is answered with.
 */
export function namesInReply(op: number, creates: SequentialCreates, body: Uint8Array): readonly string[] {
  let response: Response;
  try {
    response = readResponse(new JuteReader(body), op as Response['op']);
  } catch (error) {
    if (error instanceof MalformedRecord) return NO_NAMES;
    throw error;
  }
  if (!('results' in response))
    return 'path' in response && response.path !== null ? [response.path] : NO_NAMES;
  const { results } = response;
  const names = creates.map((position) => {
    const result = results[position];
    return result !== undefined && 'path' in result ? result.path : null;
  });
  return names.every((name) => name !== null) ? names : NO_NAMES;
}

/**
 * The error of a reply. A failed multi says ok in its header and gives an error to every operation: the one that
 * failed has the reason, the others were only not applied. Operations of a multiRead fail one by one, which is no
 * error of the whole.
 *
 *     body of a failed multi: { i32 -1 | u8 0 | i32 err | i32 err } ... | i32 -1 | u8 1 | i32 -1
 */
export function replyError(op: number, err: number, body: Uint8Array | null): number {
  if (op !== OpCode.multi || err !== ErrorCode.ok || body === null) return err;
  let first: number = ErrorCode.ok;
  for (let at = 0; at + FAILED_RESULT_BYTES <= body.length; at += FAILED_RESULT_BYTES) {
    if (int32At(body, at) !== OpCode.error || body[at + 4] !== 0) break;
    const reason = int32At(body, at + 5);
    if (reason !== ErrorCode.ok && reason !== ErrorCode.runtimeInconsistency) return reason;
    if (first === ErrorCode.ok) first = reason;
  }
  return first;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
