/** Recorded names of sequential znodes become the replayed ones, in every kind of request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PathMap, PendingName } from '../../../bench/replay/path-map.ts';
import { namesInReply, pathOf, sequentialCreates } from '../../../bench/replay/request-facts.ts';
import { OPEN_ACL } from '../../../src/wire/acl.ts';
import { JuteReader } from '../../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../../src/wire/jute-writer.ts';
import { CreateFlags, OpCode } from '../../../src/wire/opcodes.ts';
import { type Request, readRequest, writeRequestFrame } from '../../../src/wire/request-values.ts';
import { requestFrame } from '../../support/raw-client.ts';
import { readRequestHeader, writeResponse } from '../../support/wire/server-values.ts';

function encode(request: Request, xid = 5): Uint8Array {
  const writer = new JuteWriter();
  writeRequestFrame(writer, xid, request);
  return writer.toBytes();
}

/** The request of a frame, whose length must be right. */
function decode(frame: Uint8Array | PendingName): Request {
  assert.ok(!(frame instanceof PendingName));
  const reader = new JuteReader(frame);
  assert.equal(reader.readInt(), frame.length - 4);
  const { xid, op } = readRequestHeader(reader);
  assert.equal(xid, 5);
  return readRequest(reader, op);
}

function rewrite(paths: PathMap, request: Request): Request {
  const frame = encode(request);
  return decode(paths.rewrite(frame, pathOf(request.op, frame)));
}

function learned(...pairs: readonly (readonly [string, string])[]): PathMap {
  const paths = new PathMap();
  for (const [recorded, replayed] of pairs) {
    paths.expect(recorded);
    paths.learn(recorded, replayed);
  }
  return paths;
}

test('a path maps when it, or a znode above it, was named by the server', () => {
  const paths = learned(
    ['/q/n-0000000007', '/q/n-0000000012'],
    ['/q/n-0000000007/m0000000001', '/q/n-0000000012/m0000000009'],
  );
  assert.equal(paths.map('/q/n-0000000007'), '/q/n-0000000012');
  assert.equal(paths.map('/q/n-0000000007/x/y'), '/q/n-0000000012/x/y');
  assert.equal(paths.map('/q/n-0000000007/m0000000001'), '/q/n-0000000012/m0000000009');
  assert.equal(paths.map('/q/n-0000000007/m0000000001/z'), '/q/n-0000000012/m0000000009/z');
  for (const other of [
    '/',
    '/q',
    '/q/n-0000000008',
    '/q/n-00000000071',
    '/q/n-000000000',
    '/x/q/n-0000000007',
  ]) {
    assert.equal(paths.map(other), other);
  }
});

test('equal names, and names that the replay did not get, are not kept', () => {
  const paths = learned(['/a0000000001', '/a0000000001']);
  assert.equal(paths.active, false);
  paths.expect('/a0000000002');
  assert.equal(paths.active, true);
  paths.learn('/a0000000002', null);
  assert.equal(paths.active, false);
  assert.equal(paths.map('/a0000000002'), '/a0000000002');
});

test('a request for a name that is not known yet waits for it', () => {
  const paths = new PathMap();
  paths.expect('/a0000000001');
  let woken = 0;
  const frame = encode({ op: OpCode.delete, path: '/a0000000001/x', version: -1 });
  const pending = paths.rewrite(frame, '/a0000000001/x');
  assert.ok(pending instanceof PendingName);
  pending.whenKnown(() => woken++);
  const inMulti = paths.rewrite(
    encode({ op: OpCode.multi, subs: [{ op: OpCode.check, path: '/a0000000001', version: 0 }] }),
    null,
  );
  assert.equal(inMulti, pending);
  paths.learn('/a0000000001', '/a0000000004');
  assert.equal(woken, 1);
  assert.deepEqual(decode(paths.rewrite(frame, '/a0000000001/x')), {
    op: OpCode.delete,
    path: '/a0000000004/x',
    version: -1,
  });
});

test('every request with a path, or with several, is rewritten and otherwise left alone', () => {
  const from = '/ü/n0000000001';
  const to = '/ü/longer-n0000000002';
  const paths = learned([from, to]);
  const data = Buffer.from('some data');
  const create = { path: from, data, acl: OPEN_ACL, flags: CreateFlags.persistent };
  const single: readonly Request[] = [
    { op: OpCode.getData, path: from, watch: true },
    { op: OpCode.setData, path: from, data, version: 3 },
    { op: OpCode.create, ...create },
    { op: OpCode.createTtl, ...create, flags: CreateFlags.persistentTtl, ttl: 77 },
    { op: OpCode.setAcl, path: from, acl: OPEN_ACL, version: 1 },
    { op: OpCode.sync, path: from },
    { op: OpCode.addWatch, path: from, mode: 1 },
  ];
  for (const request of single)
    assert.deepEqual(plain(rewrite(paths, request)), plain({ ...request, path: to } as Request));
  const multi: Request = {
    op: OpCode.multi,
    subs: [
      { op: OpCode.check, path: '/other', version: 1 },
      { op: OpCode.setData, path: from, data, version: 1 },
      { op: OpCode.create, ...create },
    ],
  };
  const subs = [multi.subs[0]!, { ...multi.subs[1]!, path: to }, { ...multi.subs[2]!, path: to }];
  assert.deepEqual(plain(rewrite(paths, multi)), plain({ op: OpCode.multi, subs } as Request));
  const lists = {
    data: [from, '/a'],
    exist: [],
    child: [from],
    persistent: ['/b'],
    persistentRecursive: [from],
  };
  assert.deepEqual(rewrite(paths, { op: OpCode.setWatches2, relativeZxid: 9, ...lists }), {
    op: OpCode.setWatches2,
    relativeZxid: 9,
    data: [to, '/a'],
    exist: [],
    child: [to],
    persistent: ['/b'],
    persistentRecursive: [to],
  });
});

/** Buffers and plain arrays with the same bytes are equal here. */
function plain(request: Request): unknown {
  return JSON.parse(
    JSON.stringify(request, (_, value) =>
      value?.type === 'Buffer' ? value.data : value instanceof Uint8Array ? [...value] : value,
    ),
  );
}

test('frames that nothing has to be changed in are the same object, malformed ones too', () => {
  const paths = learned(['/a0000000001', '/a0000000002']);
  const others: readonly Uint8Array[] = [
    encode({ op: OpCode.getData, path: '/b', watch: false }),
    encode({ op: OpCode.multi, subs: [{ op: OpCode.check, path: '/b', version: 0 }] }),
    encode({ op: OpCode.ping }),
    requestFrame(5, OpCode.multi, Buffer.from('no multi')),
    requestFrame(5, OpCode.getData, Buffer.from([0, 0, 0, 99])),
  ];
  for (const frame of others) {
    const op = new DataView(frame.buffer, frame.byteOffset).getInt32(8);
    assert.equal(paths.rewrite(frame, pathOf(op, frame)), frame);
  }
});

test('memory is bounded: the oldest names go first, and nobody waits for one that is gone', () => {
  const paths = new PathMap();
  paths.expect('/first0000000001');
  const first = paths.map('/first0000000001');
  assert.ok(first instanceof PendingName);
  let woken = false;
  first.whenKnown(() => {
    woken = true;
  });
  for (let i = 0; i < 131_072; i++) paths.expect(`/n${i}`);
  assert.equal(woken, true);
  assert.equal(paths.map('/first0000000001'), '/first0000000001');
});

test('sequential creates are found, alone and in multis, and their names in the replies', () => {
  const create = (flags: number) => ({ path: '/p', data: null, acl: OPEN_ACL, flags });
  const simple = encode({ op: OpCode.create, ...create(CreateFlags.ephemeralSequential) });
  assert.deepEqual(sequentialCreates(OpCode.create, simple), [0]);
  assert.equal(
    sequentialCreates(OpCode.create, encode({ op: OpCode.create, ...create(CreateFlags.ephemeral) })),
    null,
  );
  const ttl = encode({ op: OpCode.createTtl, ...create(CreateFlags.persistentSequentialTtl), ttl: 5 });
  assert.deepEqual(sequentialCreates(OpCode.createTtl, ttl), [0]);
  const multi = encode({
    op: OpCode.multi,
    subs: [
      { op: OpCode.create, ...create(CreateFlags.persistent) },
      { op: OpCode.create, ...create(CreateFlags.persistentSequential) },
      { op: OpCode.check, path: '/p', version: -1 },
      { op: OpCode.create, ...create(CreateFlags.ephemeralSequential) },
    ],
  });
  assert.deepEqual(sequentialCreates(OpCode.multi, multi), [1, 3]);
  const writer = new JuteWriter();
  writeResponse(writer, {
    op: OpCode.multi,
    results: [
      { op: OpCode.create, path: '/p' },
      { op: OpCode.create, path: '/p1' },
      { op: OpCode.check },
      { op: OpCode.create, path: '/p2' },
    ],
  });
  assert.deepEqual(namesInReply(OpCode.multi, [1, 3], writer.toBytes()), ['/p1', '/p2']);
  assert.deepEqual(namesInReply(OpCode.multi, [1, 3], Buffer.from('nonsense')), []);
});
