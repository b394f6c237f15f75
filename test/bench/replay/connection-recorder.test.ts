/** From the bytes of a connection to records: the same however TCP cuts them, and no secrets in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConnectionRecorder, type RecordingCounts } from '../../../bench/replay/connection-recorder.ts';
import { CredentialGuard } from '../../../bench/replay/credentials.ts';
import type { RecordingRecord } from '../../../bench/replay/recording-format.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { JuteWriter as WireWriter } from '../../../src/wire/jute-writer.ts';
import { CreateFlags, OpCode, SpecialXid } from '../../../src/wire/opcodes.ts';
import type { MultiResult, Response } from '../../../src/wire/responses.ts';
import { JuteWriter } from '../../support/jute.ts';
import { frame, requestFrame } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import { writeReplyFrame } from '../../support/wire/server-values.ts';

const SECRET = 'user:top-secret';
const PASSWORD = new TextEncoder().encode('sixteen-byte-pw!');
const SESSION = 0x1234567890abcdefn;
const none = { data: null, acls: bodies.OPEN_ACL };

function greeting(sessionId: bigint): Uint8Array {
  const answer = new JuteWriter().int(0).int(30_000).long(sessionId).buffer(PASSWORD).bool(false);
  return frame(answer.finish());
}

function reply(xid: number, err: number, response: Response | null = null): Uint8Array {
  const writer = new WireWriter();
  writeReplyFrame(writer, { xid, zxid: 7, err }, response);
  return writer.toBytes();
}

const fromClient = Buffer.concat([
  frame(bodies.connectRequest({ timeoutMs: 30_000, sessionId: SESSION, password: PASSWORD, readOnly: true })),
  requestFrame(SpecialXid.auth, OpCode.auth, bodies.auth('digest', new TextEncoder().encode(SECRET))),
  requestFrame(
    1,
    OpCode.create,
    bodies.create({ path: '/q/n-', ...none, flags: CreateFlags.persistentSequential }),
  ),
  requestFrame(1, OpCode.getData, bodies.pathAndBool('/q', false)),
  requestFrame(
    2,
    OpCode.multi,
    bodies.multi([
      { op: OpCode.check, body: bodies.pathAndInt('/q', 3) },
      {
        op: OpCode.create,
        body: bodies.create({ path: '/q/m-', ...none, flags: CreateFlags.ephemeralSequential }),
      },
    ]),
  ),
  requestFrame(3, OpCode.multi, bodies.multi([{ op: OpCode.check, body: bodies.pathAndInt('/q', 3) }])),
  requestFrame(4, OpCode.create, bodies.create({ path: '/plain', ...none, flags: 0 })),
]);
const failed: readonly MultiResult[] = [
  { op: OpCode.error, err: ErrorCode.runtimeInconsistency },
  { op: OpCode.error, err: ErrorCode.badVersion },
];
const fromServer = Buffer.concat([
  greeting(SESSION),
  reply(1, 0, { op: OpCode.create, path: '/q/n-0000000009' }),
  // Answered out of turn, as servers do.
  reply(SpecialXid.auth, 0),
  reply(1, ErrorCode.noNode),
  reply(SpecialXid.notification, 0, { op: OpCode.sasl, token: new Uint8Array(30) }),
  reply(2, 0, {
    op: OpCode.multi,
    results: [{ op: OpCode.check }, { op: OpCode.create, path: '/q/m-0000000010' }],
  }),
  reply(3, 0, { op: OpCode.multi, results: failed }),
  reply(4, 0, { op: OpCode.create, path: '/plain' }),
]);

function newCounts(): RecordingCounts {
  return { requests: 0, replies: 0, events: 0, words: 0, malformed: 0 };
}

/** Sends all of the client's bytes, then all of the server's, in pieces. */
function record(
  client: Uint8Array,
  server: Uint8Array,
  options: { readonly sizes?: readonly number[]; readonly guard?: CredentialGuard } = {},
): { readonly records: RecordingRecord[]; readonly counts: RecordingCounts } {
  const records: RecordingRecord[] = [];
  const counts = newCounts();
  const recorder = new ConnectionRecorder(
    {
      guard: options.guard ?? new CredentialGuard(true),
      counts,
      // What the recorder hands over may be a slice of a buffer that is used again.
      append: (item) =>
        records.push(item.kind === 'request' ? { ...item, frame: Buffer.from(item.frame) } : item),
    },
    1,
  );
  for (const piece of pieces(client, options.sizes)) recorder.onClientBytes(piece, 5);
  for (const piece of pieces(server, options.sizes)) recorder.onServerBytes(piece, 9);
  return { records, counts };
}

function* pieces(bytes: Uint8Array, sizes: readonly number[] = [bytes.length]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length]!);
    yield Uint8Array.from(bytes.subarray(at, at + size));
    at += size;
  }
}

test('requests, replies, names and errors of multis are recorded', () => {
  const { records, counts } = record(fromClient, fromServer);
  const frames = records.flatMap((item) => (item.kind === 'request' ? [item.frame] : []));
  assert.deepEqual(Buffer.concat(frames), fromClient);
  const replies = records.flatMap((item) =>
    item.kind === 'reply' ? [[item.xid, item.err, item.names]] : [],
  );
  assert.deepEqual(replies, [
    [1, 0, ['/q/n-0000000009']],
    [SpecialXid.auth, 0, []],
    [1, ErrorCode.noNode, []],
    [SpecialXid.notification, 0, []],
    [2, 0, ['/q/m-0000000010']],
    [3, ErrorCode.badVersion, []],
    [4, 0, []],
  ]);
  assert.deepEqual(counts, { requests: 6, replies: 6, events: 1, words: 0, malformed: 0 });
  const connected = records.find((item) => item.kind === 'connected');
  assert.deepEqual(connected, {
    kind: 'connected',
    connection: 1,
    timeUs: 9,
    sessionId: SESSION,
    timeoutMs: 30_000,
  });
});

test('however TCP cuts the streams, the records are the same', () => {
  const whole = record(fromClient, fromServer);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 10 }), (sizes) => {
      assert.deepEqual(record(fromClient, fromServer, { sizes }), whole);
    }),
  );
});

test('credentials, passwords and session ids are blanked; the rest of the frames stays', () => {
  const guard = new CredentialGuard(false);
  const { records } = record(fromClient, fromServer, { guard });
  const frames = records.flatMap((item) => (item.kind === 'request' ? [Buffer.from(item.frame)] : []));
  const all = Buffer.concat(frames);
  assert.equal(all.indexOf('top-secret'), -1);
  assert.equal(all.indexOf(PASSWORD), -1);
  const id = Buffer.alloc(8);
  id.writeBigInt64BE(SESSION);
  assert.equal(all.indexOf(id), -1);
  const connected = records.find((item) => item.kind === 'connected')!;
  assert.notEqual(connected.kind === 'connected' && connected.sessionId, SESSION);
  assert.equal(frames[0]!.readBigInt64BE(20), connected.kind === 'connected' ? connected.sessionId : null);
  assert.equal(frames[0]!.at(-1), 1, 'the wish for a read-only server');
  assert.deepEqual(
    frames[1],
    Buffer.from(requestFrame(SpecialXid.auth, OpCode.auth, bodies.auth('digest', null))),
  );
  assert.deepEqual(
    Buffer.concat(frames.slice(2)),
    fromClient.subarray(fromClient.length - lengthOf(frames.slice(2))),
  );
});

function lengthOf(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, { length }) => sum + length, 0);
}

test('an alias is the same for the same session of one recording, another in the next; no session stays none', () => {
  const guard = new CredentialGuard(false);
  assert.equal(guard.sessionAlias(SESSION), guard.sessionAlias(SESSION));
  assert.notEqual(guard.sessionAlias(SESSION), guard.sessionAlias(SESSION + 1n));
  assert.notEqual(guard.sessionAlias(SESSION), new CredentialGuard(false).sessionAlias(SESSION));
  assert.equal(guard.sessionAlias(0n), 0n);
});

test('a SASL token is a credential', () => {
  const connect = frame(bodies.connectRequest({ timeoutMs: 1_000 }));
  const token = new JuteWriter().buffer(new TextEncoder().encode('sasl-token')).finish();
  const { records } = record(
    Buffer.concat([connect, requestFrame(1, OpCode.sasl, token)]),
    new Uint8Array(0),
    {
      guard: new CredentialGuard(false),
    },
  );
  const last = records.at(-1)!;
  assert.ok(last.kind === 'request');
  assert.equal(Buffer.from(last.frame).indexOf('sasl-token'), -1);
  assert.deepEqual(
    last.frame,
    Buffer.from(requestFrame(1, OpCode.sasl, new JuteWriter().buffer(null).finish())),
  );
});

test('a four-letter word is recorded as one, in whatever pieces it comes, and nothing behind it', () => {
  for (const sizes of [[4], [1], [3, 1]]) {
    const { records, counts } = record(Buffer.from('mntr'), Buffer.from('zk_version\t3.8.0\n'), { sizes });
    assert.deepEqual(records, [{ kind: 'word', connection: 1, timeUs: 5, word: 'mntr' }]);
    assert.equal(counts.words, 1);
  }
});

test('what is no ZooKeeper stream ends the recording of the connection with one note', () => {
  const connect = frame(bodies.connectRequest({ timeoutMs: 1_000 }));
  const cases: readonly (readonly [client: Uint8Array, server: Uint8Array, note: RegExp])[] = [
    [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from('HTTP/1.1 400\r\n'),
      /requests are no ZooKeeper frames/,
    ],
    [Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]), Buffer.alloc(0), /speaks TLS/],
    [frame(new Uint8Array(10)), Buffer.alloc(0), /a request of 14 bytes/],
    [Buffer.concat([connect, frame(new Uint8Array(3))]), Buffer.alloc(0), /a request of 7 bytes/],
    [connect, Buffer.from('HTTP/1.1 400 Bad Request\r\n'), /replies are no ZooKeeper frames/],
    [connect, Buffer.concat([greeting(1n), Buffer.alloc(24)]), /replies are no ZooKeeper frames/],
    [connect, frame(new Uint8Array(40)), /something else than a session/],
  ];
  for (const [client, server, note] of cases) {
    const { records, counts } = record(Buffer.concat([client, client]), Buffer.concat([server, server]));
    const notes = records.filter((item) => item.kind === 'note');
    assert.equal(notes.length, 1, String(note));
    assert.match(notes[0]!.text, note);
    assert.equal(records.at(-1), notes[0]);
    assert.equal(counts.malformed, 1);
  }
});
