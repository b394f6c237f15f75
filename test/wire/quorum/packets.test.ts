/** quorum-packet.ts, packet-splitter.ts, payloads.ts against what Apache 3.8.0 was seen to send. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  type PacketHandler,
  PacketSplitter,
  PacketStatus,
} from '../../../src/wire/quorum/packet-splitter.ts';
import {
  NO_ZXID,
  PacketType,
  packetTypeName,
  QUORUM_PROTOCOL_VERSION,
} from '../../../src/wire/quorum/packet-types.ts';
import {
  LEARNER_INFO_BYTES,
  LearnerInfo,
  REQUEST_HEAD_BYTES,
  REVALIDATE_ANSWER_BYTES,
  TOUCH_BYTES,
  writeLearnerInfo,
  writeRequestHead,
  writeRevalidateAnswer,
  writeTouch,
} from '../../../src/wire/quorum/payloads.ts';
import {
  PACKET_BYTES_MIN,
  PACKET_MALFORMED,
  packetLength,
  QuorumPacket,
  writeBarePacket,
  writeNoAuth,
  writePacketHead,
} from '../../../src/wire/quorum/quorum-packet.ts';
import { toHex, viewOf } from '../bytes.ts';
import { type CapturedPacket, learnerStreams, streamOf } from './captured.ts';

const PACKET_BYTES_MAX = 1 << 20;
const TREE_END = Buffer.from('0000000a42656e57617348657265', 'hex');

/** Takes packets as long as `credit` lasts, and the tree behind a SNAP to its signature. */
class Reader implements PacketHandler {
  readonly splitter = new PacketSplitter(PACKET_BYTES_MAX, this);
  readonly taken: string[] = [];
  readonly types: string[] = [];
  credit = Number.POSITIVE_INFINITY;
  private tree: number[] = [];

  onPacket(packet: QuorumPacket): boolean {
    if (this.credit === 0) return false;
    this.credit--;
    this.taken.push(toHex(rewritten(packet)));
    this.types.push(packetTypeName(packet.type));
    if (packet.type === PacketType.snap) this.splitter.beginRaw();
    return true;
  }

  onRaw(bytes: Uint8Array, _view: DataView, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      if (this.credit === 0) return at - start;
      this.tree.push(bytes[at]!);
      if (!TREE_END.equals(Uint8Array.from(this.tree.slice(-TREE_END.length)))) continue;
      this.taken.push(toHex(Uint8Array.from(this.tree)));
      this.tree = [];
      this.splitter.endRaw();
      return at + 1 - start;
    }
    return end - start;
  }
}

/** The packet written anew from its fields. */
function rewritten(packet: QuorumPacket): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES_MAX);
  const view = viewOf(bytes);
  let at = writePacketHead(view, 0, packet.type, packet.zxid, packet.dataLength);
  bytes.set(packet.bytes.subarray(packet.dataStart, packet.dataEnd), at);
  at += packet.dataEnd - packet.dataStart;
  if (packet.authCount === -1) return bytes.subarray(0, writeNoAuth(view, at));
  bytes.set(packet.bytes.subarray(packet.authStart, packet.recordEnd), at);
  return bytes.subarray(0, at + packet.recordEnd - packet.authStart);
}

function expected(packets: readonly CapturedPacket[], isFromLearner: boolean): string[] {
  return packets
    .filter((packet) => packet.isFromLearner === isFromLearner)
    .map((packet) => toHex(packet.bytes));
}

suite('captured streams', () => {
  for (const { name, packets } of learnerStreams()) {
    test(`${name}: packets found, and the same bytes written`, () => {
      for (const isFromLearner of [true, false]) {
        const reader = new Reader();
        assert.equal(reader.splitter.push(streamOf(packets, isFromLearner)), PacketStatus.ok);
        assert.deepEqual(reader.taken, expected(packets, isFromLearner));
        assert.equal(reader.splitter.bufferedBytes, 0);
        const named = packets.filter(
          (packet) => packet.isFromLearner === isFromLearner && !packet.note.startsWith('raw'),
        );
        assert.deepEqual(
          reader.types,
          named.map((packet) => packet.note.split(' ')[0]),
        );
      }
    });
  }

  test('in any pieces, with any stops: the same', () => {
    const streams = learnerStreams().filter(({ name }) => /^0[2378]|^11/.test(name));
    assert.equal(streams.length, 5);
    fc.assert(
      fc.property(
        fc.constantFrom(...streams),
        fc.boolean(),
        fc.array(fc.nat(3000), { maxLength: 30 }),
        fc.array(fc.nat(40), { maxLength: 10 }),
        ({ packets }, isFromLearner, cuts, credits) => {
          const stream = streamOf(packets, isFromLearner);
          const reader = new Reader();
          const stops = [...credits];
          const goOn = (): void => {
            while (reader.splitter.resume() === PacketStatus.stopped) {
              reader.credit = stops.shift() ?? Number.POSITIVE_INFINITY;
            }
          };
          reader.credit = stops.shift() ?? Number.POSITIVE_INFINITY;
          const places = [0, ...cuts.map((cut) => cut % stream.length), stream.length].sort((a, b) => a - b);
          for (let i = 1; i < places.length; i++) {
            const chunk = stream.slice(places[i - 1], places[i]);
            reader.splitter.push(chunk);
            chunk.fill(0xdd);
            if (i % 2 === 0) goOn();
          }
          goOn();
          assert.deepEqual(reader.taken, expected(packets, isFromLearner));
          assert.equal(reader.splitter.bufferedBytes, 0);
        },
      ),
      { numRuns: 150 },
    );
  });
});

suite('packetLength', () => {
  const packet = (dataLength: number, count: number, ...lengths: number[]): DataView => {
    const view = new DataView(new ArrayBuffer(2000));
    let at = writePacketHead(view, 0, PacketType.request, NO_ZXID, dataLength) + Math.max(dataLength, 0);
    view.setInt32(at, count);
    at += 4;
    for (const length of lengths) {
      view.setInt32(at, length);
      at += 4 + Math.max(length, 0);
    }
    return view;
  };

  test('says at each byte how many are missing at least, and never more than are', () => {
    for (const { packets } of learnerStreams()) {
      for (const { bytes, note } of packets) {
        if (note.startsWith('raw')) continue;
        const view = viewOf(bytes);
        for (let end = 0; end < bytes.length; end++) {
          const missing = -packetLength(view, 0, end, PACKET_BYTES_MAX);
          assert.ok(missing > 0 && missing <= bytes.length - end, `${note} at ${end}: ${missing}`);
        }
        assert.equal(packetLength(view, 0, bytes.length, PACKET_BYTES_MAX), bytes.length);
      }
    }
  });

  test('refuses lengths that are negative or beyond the bound as soon as they are there', () => {
    assert.equal(packetLength(packet(-2, -1), 0, 16, 1000), PACKET_MALFORMED);
    assert.equal(packetLength(packet(981, -1), 0, 16, 1000), PACKET_MALFORMED, 'a packet of 1001 bytes');
    assert.equal(packetLength(packet(980, -1), 0, 16, 1000), -984, 'of 1000');
    assert.equal(packetLength(packet(10, 122), 0, 30, 1000), PACKET_MALFORMED, 'more ids than fit');
    assert.equal(packetLength(packet(10, 1, -2), 0, 34, 1000), PACKET_MALFORMED);
    assert.equal(
      packetLength(packet(10, 1, 967), 0, 34, 1000),
      PACKET_MALFORMED,
      'a scheme beyond the bound',
    );
    assert.equal(packetLength(packet(10, 1, 962), 0, 34, 1000), -966, 'to the bound, and its id');
    assert.equal(packetLength(packet(-1, -7), 0, 20, 1000), PACKET_BYTES_MIN, 'a negative count is none');
    assert.equal(packetLength(packet(-1, 1, -1, -1), 0, 28, 1000), 28, 'null scheme and id');
  });

  test('of anything: a length within, or bytes missing, or malformed; the splitter refuses for good', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(199), (bytes, cut) => {
        const length = packetLength(viewOf(bytes), 0, bytes.length, 150);
        assert.ok(length <= Math.min(bytes.length, 150) && length >= -150 - 4, String(length));
        const seen: number[] = [];
        const handler: PacketHandler = {
          onPacket: (found) => seen.push(found.recordEnd) > 0,
          onRaw: () => assert.fail('nothing raw was asked for'),
        };
        const splitter = new PacketSplitter(150, handler);
        splitter.push(bytes.slice(0, cut));
        const status = splitter.push(bytes.slice(cut));
        assert.ok(splitter.bufferedBytes <= 150);
        if (status !== PacketStatus.malformed) return;
        const before = seen.length;
        const valid = new Uint8Array(PACKET_BYTES_MIN);
        writeBarePacket(viewOf(valid), 0, PacketType.ack, 1);
        assert.equal(splitter.push(valid), PacketStatus.malformed);
        assert.equal(splitter.resume(), PacketStatus.malformed);
        assert.equal(seen.length, before);
      }),
      { numRuns: 1000 },
    );
  });
});

suite('payloads', () => {
  /** The data of the first packet of `type` in that stream; `occurrence` counts from 0. */
  function dataOf(stream: string, type: string, isFromLearner: boolean, occurrence = 0): Uint8Array {
    const { packets } = learnerStreams().find(({ name }) => name.startsWith(stream))!;
    const found = packets.filter(
      (packet) => packet.note.startsWith(`${type} `) && packet.isFromLearner === isFromLearner,
    )[occurrence]!;
    const packet = new QuorumPacket();
    packet.wrap(found.bytes, viewOf(found.bytes), 0, found.bytes.length);
    return found.bytes.slice(packet.dataStart, packet.dataEnd);
  }
  const written = (length: number, write: (view: DataView) => number): string => {
    const bytes = new Uint8Array(length);
    assert.equal(write(viewOf(bytes)), length);
    return toHex(bytes);
  };

  test('LearnerInfo: read by its length', () => {
    const data = dataOf('01', 'FOLLOWERINFO', true);
    const info = new LearnerInfo();
    const read = (length: number): [number, number, number] => {
      info.wrap(viewOf(data), 0, length);
      return [info.sid, info.protocolVersion, info.configVersion];
    };
    assert.deepEqual(read(20), [1, QUORUM_PROTOCOL_VERSION, 0]);
    assert.deepEqual(read(12), [1, QUORUM_PROTOCOL_VERSION, 0]);
    assert.deepEqual(read(8), [1, 1, 0]);
    assert.deepEqual(read(0), [-1, 1, 0]);
    assert.equal(
      toHex(data),
      written(LEARNER_INFO_BYTES, (view) => writeLearnerInfo(view, 0, 1, 0)),
    );
    const reconfigured = dataOf('11', 'OBSERVERINFO', true);
    info.wrap(viewOf(reconfigured), 0, reconfigured.length);
    assert.equal(
      toHex(reconfigured),
      written(LEARNER_INFO_BYTES, (view) => writeLearnerInfo(view, 0, info.sid, info.configVersion)),
    );
    assert.ok(info.sid === 4 && info.configVersion >= 0x1_0000_0000);
  });

  test('REQUEST, REVALIDATE and touches: the same bytes written', () => {
    const request = dataOf('01', 'REQUEST', true);
    const head = viewOf(request);
    assert.equal(
      toHex(request.slice(0, REQUEST_HEAD_BYTES)),
      written(REQUEST_HEAD_BYTES, (view) =>
        writeRequestHead(view, 0, head.getInt32(0), head.getInt32(4), head.getInt32(8), head.getInt32(12)),
      ),
    );
    for (const [occurrence, isValid] of [
      [0, true],
      [1, false],
    ] as const) {
      const question = viewOf(dataOf('02', 'REVALIDATE', true, occurrence));
      assert.equal(question.byteLength, TOUCH_BYTES);
      assert.equal(
        toHex(dataOf('02', 'REVALIDATE', true, occurrence)),
        written(TOUCH_BYTES, (view) =>
          writeTouch(view, 0, question.getInt32(0), question.getInt32(4), question.getInt32(8)),
        ),
      );
      assert.equal(
        toHex(dataOf('02', 'REVALIDATE', false, occurrence)),
        written(REVALIDATE_ANSWER_BYTES, (view) =>
          writeRevalidateAnswer(view, 0, question.getInt32(0), question.getInt32(4), isValid),
        ),
      );
    }
  });
});

test('types have Apache’s names, others are numbers', () => {
  assert.equal(packetTypeName(PacketType.informAndActivate), 'INFORMANDACTIVATE');
  for (const type of [0, -1, 20]) assert.equal(packetTypeName(type), String(type));
});
