/** multi.ts and the multi parts of request-values.ts and responses.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OPEN_ACL } from '../../src/wire/acl.ts';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { JuteReader } from '../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { MULTI_HEADER_BYTES, MultiRequest, writeMultiHeader } from '../../src/wire/multi.ts';
import { CreateFlags, OpCode } from '../../src/wire/opcodes.ts';
import { type MultiSubRequest, writeRequest } from '../../src/wire/request-values.ts';
import { type MultiResult, readResponse } from '../../src/wire/responses.ts';
import { writeResponse } from '../support/wire/server-values.ts';
import { multiReadSub, multiWriteSub } from './arbitraries.ts';
import { embedded, hex, toHex, viewOf } from './bytes.ts';
import { seenByFlyweight } from './flyweights.ts';

type Multi = typeof OpCode.multi | typeof OpCode.multiRead;

const create = { op: OpCode.create, path: '/a', data: null, acl: OPEN_ACL, flags: 0 } as const;
const check = { op: OpCode.check, path: '/a', version: 3 } as const;
const read = { op: OpCode.getData, path: '/a', watch: true } as const;
const terminator = 'ffffffff 01 ffffffff'.replaceAll(' ', '');

function recordOf(op: Multi, subs: readonly MultiSubRequest[]): Uint8Array {
  const writer = new JuteWriter();
  writeRequest(writer, { op, subs });
  return writer.toBytes();
}

function accepts(op: Multi, bytes: Uint8Array): boolean {
  return seenByFlyweight(op, bytes, viewOf(bytes), 0, bytes.length) !== null;
}

/** What a valid multi may hold: a path; and no container flags, with which a create would read as createContainer. */
const validWriteSub = multiWriteSub.map((sub): MultiSubRequest => {
  const path = sub.path ?? '';
  if (!('flags' in sub)) return { ...sub, path };
  return { ...sub, path, flags: sub.flags === CreateFlags.container ? CreateFlags.persistent : sub.flags };
});
const validReadSub = multiReadSub.map((sub): MultiSubRequest => ({ ...sub, path: sub.path ?? '' }));

test('the flyweight sees every sub operation, may start again, and refuses every shorter record', () => {
  const cases = [
    [OpCode.multi, validWriteSub],
    [OpCode.multiRead, validReadSub],
  ] as const;
  for (const [op, sub] of cases) {
    fc.assert(
      fc.property(fc.array(sub, { maxLength: 6 }), fc.nat(), (subs, at) => {
        const { bytes, view, start, end } = embedded(recordOf(op, subs));
        const seen = seenByFlyweight(op, bytes, view, start, end + 7);
        assert.deepEqual(seen, { request: { op, subs }, recordEnd: end });
        assert.equal(seenByFlyweight(op, bytes, view, start, start + (at % (end - start))), null);
      }),
    );
  }
});

test('a multi can be walked again from the start', () => {
  const bytes = recordOf(OpCode.multi, [create, check]);
  const multi = new MultiRequest();
  assert.ok(multi.wrap(bytes, viewOf(bytes), 0, bytes.length));
  assert.equal(multi.count, 2);
  const ops: number[] = [];
  while (multi.next()) ops.push(multi.op);
  multi.rewind();
  while (multi.next()) ops.push(multi.op);
  assert.deepEqual(ops, [OpCode.create, OpCode.check, OpCode.create, OpCode.check]);
  assert.equal(multi.remaining, 0);
});

test('an empty multi is its terminator, of whatever type', () => {
  const multi = new MultiRequest();
  for (const text of [terminator, '00000001 07 00000000']) {
    const bytes = hex(text);
    assert.ok(multi.wrap(bytes, viewOf(bytes), 0, bytes.length));
    assert.equal(multi.count, 0);
    assert.equal(multi.next(), false);
    assert.equal(multi.recordEnd, MULTI_HEADER_BYTES);
  }
  assert.equal(toHex(recordOf(OpCode.multi, [])), terminator);
});

test('a multi with reads, unknown operations or a null path is refused as a whole', () => {
  assert.ok(accepts(OpCode.multi, recordOf(OpCode.multi, [create, check])));
  assert.equal(accepts(OpCode.multi, recordOf(OpCode.multi, [create, read])), false);
  assert.equal(accepts(OpCode.multiRead, recordOf(OpCode.multiRead, [read, check])), false);
  for (const sub of [create, check]) {
    assert.equal(accepts(OpCode.multi, recordOf(OpCode.multi, [{ ...sub, path: null }])), false);
  }
  assert.equal(accepts(OpCode.multiRead, recordOf(OpCode.multiRead, [{ ...read, path: null }])), false);
  for (const op of ['00000014', '00000007', '00000003', '0000000e', 'ffffffff']) {
    const bytes = hex(op + '00 ffffffff' + '00000002 2f61 00000000 00000000' + terminator);
    assert.equal(accepts(OpCode.multi, bytes), false);
  }
  const unterminated = recordOf(OpCode.multi, [check]).subarray(0, -MULTI_HEADER_BYTES);
  assert.equal(accepts(OpCode.multi, unterminated), false);
});

test('bad flags and a null ACL are left to whoever carries the operation out', () => {
  assert.ok(accepts(OpCode.multi, recordOf(OpCode.multi, [{ ...create, acl: null }])));
  for (const flags of [-1, 7, 2 ** 31 - 1]) {
    assert.ok(accepts(OpCode.multi, recordOf(OpCode.multi, [{ ...create, flags }])));
  }
});

test('flags 4 make a container of create and create2, and leave a ttl create alone', () => {
  const flags = CreateFlags.container;
  const ops = (subs: readonly MultiSubRequest[]): number[] => {
    const bytes = recordOf(OpCode.multi, subs);
    const multi = new MultiRequest();
    assert.ok(multi.wrap(bytes, viewOf(bytes), 0, bytes.length));
    const seen: number[] = [];
    while (multi.next()) seen.push(multi.op);
    return seen;
  };
  assert.deepEqual(
    ops([
      { ...create, flags },
      { ...create, op: OpCode.create2, flags },
      { ...create, op: OpCode.createTtl, flags, ttl: 1 },
      { ...create, op: OpCode.create2 },
    ]),
    [OpCode.createContainer, OpCode.createContainer, OpCode.createTtl, OpCode.create2],
  );
});

test('the response of a failed multi is the one Apache sends', () => {
  const results: MultiResult[] = [
    { op: OpCode.error, err: ErrorCode.ok },
    { op: OpCode.error, err: ErrorCode.badVersion },
    { op: OpCode.error, err: ErrorCode.runtimeInconsistency },
  ];
  const golden = hex(
    'ffffffff 00 00000000 | 00000000 · ffffffff 00 ffffff99 | ffffff99 · ' +
      'ffffffff 00 fffffffe | fffffffe · ffffffff 01 ffffffff',
  );
  const writer = new JuteWriter();
  writeResponse(writer, { op: OpCode.multi, results });
  assert.equal(toHex(writer.written), toHex(golden));
  assert.deepEqual(readResponse(new JuteReader(golden), OpCode.multi), { op: OpCode.multi, results });

  // The same through the data plane's writers.
  const bytes = new Uint8Array(golden.length);
  const view = viewOf(bytes);
  let offset = 0;
  for (const { err } of results as { err: number }[]) {
    offset = writeMultiHeader(view, offset, OpCode.error, false, err);
    view.setInt32(offset, err);
    offset += 4;
  }
  assert.equal(writeMultiHeader(view, offset, -1, true, -1), golden.length);
  assert.equal(toHex(bytes), toHex(golden));
});

test('a result of an unknown type is malformed', () => {
  const bytes = hex('00000003 00 00000000' + terminator);
  assert.throws(() => readResponse(new JuteReader(bytes), OpCode.multi), /not type 3/);
});
