/** requests.ts and request-values.ts; multi has its own test file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OPEN_ACL } from '../../src/wire/acl.ts';
import { JuteReader, MalformedRecord } from '../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { type Request, readRequest, writeRequest, writeRequestFrame } from '../../src/wire/request-values.ts';
import {
  CreateRequest,
  PathWatchRequest,
  REQUEST_HEADER_BYTES,
  REQUEST_TYPE,
  REQUEST_XID,
} from '../../src/wire/requests.ts';
import { readRequestHeader } from '../support/wire/server-values.ts';
import { int32, request } from './arbitraries.ts';
import { embedded, hex, textOf, toHex, viewOf } from './bytes.ts';
import { seenByFlyweight } from './flyweights.ts';

const HAS_NO_FLYWEIGHT: readonly number[] = [
  OpCode.ping,
  OpCode.whoAmI,
  OpCode.closeSession,
  OpCode.createSession,
];
const single = request.filter(({ op }) => op !== OpCode.multi && op !== OpCode.multiRead);

function recordOf(value: Request): Uint8Array {
  const writer = new JuteWriter();
  writeRequest(writer, value);
  return writer.toBytes();
}

test('every request survives a round trip as a frame', () => {
  fc.assert(
    fc.property(request, int32, (value, xid) => {
      const writer = new JuteWriter();
      writeRequestFrame(writer, xid, value);
      const frame = writer.toBytes();
      const view = viewOf(frame);
      assert.equal(view.getInt32(0), frame.length - 4);
      assert.equal(view.getInt32(4 + REQUEST_XID), xid);
      assert.equal(view.getInt32(4 + REQUEST_TYPE), value.op);
      const reader = new JuteReader(frame, view, 4);
      assert.deepEqual(readRequestHeader(reader), { xid, op: value.op });
      assert.equal(reader.position, 4 + REQUEST_HEADER_BYTES);
      assert.deepEqual(readRequest(reader, value.op), value);
      assert.equal(reader.remaining, 0);
    }),
    { numRuns: 1000 },
  );
});

test('the flyweight of every request sees what was written, and ignores bytes behind it', () => {
  fc.assert(
    fc.property(single, fc.nat(5), (value, behind) => {
      fc.pre(!HAS_NO_FLYWEIGHT.includes(value.op));
      const { bytes, view, start, end } = embedded(recordOf(value));
      const seen = seenByFlyweight(value.op, bytes, view, start, end + behind);
      assert.deepEqual(seen, { request: value, recordEnd: end });
    }),
    { numRuns: 1000 },
  );
});

test('every flyweight and every value codec refuses a record that is cut short', () => {
  fc.assert(
    fc.property(single, fc.nat(), (value, at) => {
      fc.pre(!HAS_NO_FLYWEIGHT.includes(value.op));
      const { bytes, view, start, end } = embedded(recordOf(value));
      const cut = start + (at % (end - start));
      assert.equal(seenByFlyweight(value.op, bytes, view, start, cut), null);
      assert.throws(() => readRequest(new JuteReader(bytes, view, start, cut), value.op), MalformedRecord);
    }),
    { numRuns: 1000 },
  );
});

test('the bytes of getData and create are those of the protocol', () => {
  assert.equal(toHex(recordOf({ op: OpCode.getData, path: '/a', watch: true })), '00000002' + '2f61' + '01');
  assert.equal(
    toHex(recordOf({ op: OpCode.create, path: '/a', data: hex('ff'), acl: OPEN_ACL, flags: 3 })),
    '00000002' +
      '2f61' + // path
      '00000001' +
      'ff' + // data
      '00000001' +
      '0000001f' +
      '00000005' +
      '776f726c64' +
      '00000006' +
      '616e796f6e65' + // acl
      '00000003', // flags
  );
});

test('a create tells null from empty in path, data and ACL', () => {
  const create = new CreateRequest();
  const nulls = hex('ffffffff ffffffff ffffffff 00000000');
  assert.ok(create.wrap(nulls, viewOf(nulls), 0, nulls.length));
  assert.deepEqual([create.pathLength, create.dataLength, create.aclCount], [-1, -1, -1]);
  const empties = hex('00000000 00000000 00000000 00000000');
  assert.ok(create.wrap(empties, viewOf(empties), 0, empties.length));
  assert.deepEqual([create.pathLength, create.dataLength, create.aclCount], [0, 0, 0]);
  assert.equal(create.aclLength, 4);
});

test('a ttl outside the safe integers stays outside every valid range, and is not left over', () => {
  const create = new CreateRequest();
  for (const [ttl, sign] of [
    ['7fffffffffffffff', 1],
    ['8000000000000000', -1],
  ] as const) {
    const bytes = hex('00000001 2f 00000000 ffffffff 00000005' + ttl);
    assert.ok(create.wrapTtl(bytes, viewOf(bytes), 0, bytes.length));
    assert.ok(create.ttl * sign > 2 ** 53);
    assert.ok(create.wrap(bytes, viewOf(bytes), 0, bytes.length));
    assert.equal(create.ttl, 0);
  }
});

test('any non-zero watch byte is true', () => {
  const bytes = hex('00000001 2f 40');
  const read = new PathWatchRequest();
  assert.ok(read.wrap(bytes, viewOf(bytes), 0, bytes.length));
  assert.equal(read.watch, true);
  assert.equal(textOf(bytes, read.pathStart, read.pathLength), '/');
});

test('negative lengths other than -1 are malformed; negative counts other than -1 are empty', () => {
  const bad = hex('fffffffe 00000000 00000000 00000000');
  assert.equal(new CreateRequest().wrap(bad, viewOf(bad), 0, bad.length), false);
  const odd = hex('00000001 2f 00000000 80000000 00000002');
  const create = new CreateRequest();
  assert.ok(create.wrap(odd, viewOf(odd), 0, odd.length));
  assert.deepEqual([create.aclCount, create.flags], [0, 2]);
});

test('a value codec refuses an opcode that is no request', () => {
  assert.throws(() => readRequest(new JuteReader(hex('00')), 77), /opcode 77/);
});
