import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CorePort } from '../../../src/core/ports/core-port.ts';
import { createIoLink, type IoLinkHandle } from '../../../src/server/io/io-link.ts';
import { RequestRingReader, RequestRingWriter } from '../../../src/server/io/request-ring.ts';
import { IoMeter } from '../../../src/server/monitor/io-meter.ts';
import { createBell } from '../../../src/shm/bell.ts';

const FRAME_BYTES_MAX = 100;
// The smallest ring for such frames.
const RING_BYTES = 256;

class RecordingCore implements CorePort {
  readonly calls: string[] = [];

  onConnect(conn: number, address: string, port: number): void {
    this.calls.push(`connect ${conn} ${address} ${port}`);
  }
  onFrame(conn: number, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    assert.equal(view.byteOffset, bytes.byteOffset);
    this.calls.push(`frame ${conn} ${Buffer.from(bytes.subarray(start, end)).toString('hex')}`);
  }
  onDisconnect(conn: number): void {
    this.calls.push(`disconnect ${conn}`);
  }
  onDrained(conn: number): void {
    this.calls.push(`drained ${conn}`);
  }
  onFourLetterWord(conn: number, word: number, argument: bigint | null): void {
    this.calls.push(`word ${conn} ${word} ${argument}`);
  }
}

interface Ends {
  readonly writer: RequestRingWriter;
  readonly reader: RequestRingReader;
  readonly core: RecordingCore;
  readonly replies: { congested: boolean };
}

function ends(link: IoLinkHandle = smallLink()): Ends {
  const core = new RecordingCore();
  const replies = { congested: false };
  const writer = new RequestRingWriter(link, FRAME_BYTES_MAX, new IoMeter(link.meter));
  return { writer, reader: new RequestRingReader(link, core, replies), core, replies };
}

function smallLink(): IoLinkHandle {
  return createIoLink({
    io: 0,
    slotCount: 16,
    requestRingBytes: RING_BYTES,
    replyRingBytes: RING_BYTES,
    coreBell: createBell(),
  });
}

function offerFrame(writer: RequestRingWriter, conn: number, payload: Buffer): boolean {
  return writer.onFrame(conn, payload, new DataView(payload.buffer), 0, payload.length);
}

test('every kind of record arrives as it was sent, once the chunk has ended', () => {
  const { writer, reader, core } = ends();
  writer.onConnect(5, 'fe80::1%eth0', 40_000);
  assert.equal(offerFrame(writer, 5, Buffer.from('payload')), true);
  writer.onFourLetterWord(6, 0x72756f6b, null);
  writer.onFourLetterWord(6, 0x73746d6b, -306n);
  assert.equal(reader.isEmpty, true);
  writer.onChunkEnd();
  assert.equal(reader.isEmpty, false);
  writer.onDrained(5);
  writer.onDisconnect(5);
  assert.equal(reader.poll(2), 2);
  assert.equal(reader.poll(100), 4);
  assert.deepEqual(core.calls, [
    'connect 5 fe80::1%eth0 40000',
    `frame 5 ${Buffer.from('payload').toString('hex')}`,
    'word 6 1920298859 null',
    'word 6 1937010027 -306',
    'drained 5',
    'disconnect 5',
  ]);
});

test('a ring that cannot hold a frame is refused at start', () => {
  const link = createIoLink({
    io: 0,
    slotCount: 1,
    requestRingBytes: 128,
    replyRingBytes: 128,
    coreBell: createBell(),
  });
  assert.throws(() => new RequestRingWriter(link, FRAME_BYTES_MAX, new IoMeter(link.meter)), /too small/);
});

test('a full ring refuses frames, keeps what cannot be refused, and tells when there is room', () => {
  const { writer, reader, core } = ends();
  const payload = Buffer.alloc(FRAME_BYTES_MAX, 1);
  let taken = 0;
  while (offerFrame(writer, 1, payload)) taken++;
  assert.ok(taken >= 1);
  for (let conn = 2; conn < 40; conn++) writer.onDisconnect(conn);
  assert.equal(writer.roomCame, false);
  let rooms = 0;
  while (core.calls.length < taken + 38) {
    assert.ok(reader.poll(3) > 0);
    assert.equal(offerFrame(writer, 1, Buffer.alloc(0)), false, 'a frame must not overtake what is held');
    if (!writer.roomCame) continue;
    rooms++;
    if (writer.onRoom()) break;
  }
  reader.poll(100);
  assert.ok(rooms > 1);
  assert.deepEqual(
    core.calls.slice(taken),
    Array.from({ length: 38 }, (_, i) => `disconnect ${i + 2}`),
  );
  assert.equal(offerFrame(writer, 1, payload), true);
});

test('while replies are congested no frame is taken and the ring counts as empty', () => {
  const { writer, reader, core, replies } = ends();
  writer.onDisconnect(1);
  offerFrame(writer, 2, Buffer.from('x'));
  writer.onChunkEnd();
  replies.congested = true;
  assert.equal(reader.isEmpty, true);
  assert.equal(reader.poll(100), 1);
  replies.congested = false;
  assert.equal(reader.isEmpty, false);
  assert.equal(reader.poll(100), 1);
  assert.deepEqual(core.calls, ['disconnect 1', 'frame 2 78']);
});

test('any mix of events and polls: nothing is lost, doubled or reordered', () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('frame' as const), size: fc.nat(FRAME_BYTES_MAX) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('disconnect' as const), size: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('connect' as const), size: fc.nat(20) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('poll' as const), size: fc.integer({ min: 1, max: 9 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('room' as const), size: fc.constant(0) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const { writer, reader, core } = ends();
      const expected: string[] = [];
      steps.forEach(({ kind, size }, i) => {
        if (kind === 'frame') {
          const payload = Buffer.alloc(size, i & 0xff);
          if (offerFrame(writer, i, payload)) expected.push(`frame ${i} ${payload.toString('hex')}`);
          writer.onChunkEnd();
        } else if (kind === 'connect') {
          writer.onConnect(i, 'a'.repeat(size), i);
          expected.push(`connect ${i} ${'a'.repeat(size)} ${i}`);
          writer.onChunkEnd();
        } else if (kind === 'disconnect') {
          writer.onDisconnect(i);
          expected.push(`disconnect ${i}`);
        } else if (kind === 'poll') {
          reader.poll(size);
        } else if (writer.roomCame) {
          writer.onRoom();
        }
      });
      while (!reader.isEmpty || writer.roomCame) {
        reader.poll(7);
        if (writer.roomCame) writer.onRoom();
      }
      assert.deepEqual(core.calls, expected);
    }),
  );
});
