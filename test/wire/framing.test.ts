/** framing.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameSplitter, FrameStatus } from '../../src/wire/framing.ts';
import { hex, toHex } from './bytes.ts';

const LIMIT = 64;

/** Takes frames while `credit` lasts, copying them as a real consumer has to. */
class Consumer {
  readonly frames: string[] = [];
  credit = Number.POSITIVE_INFINITY;

  onFrame(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    assert.equal(view.byteLength, bytes.byteLength);
    assert.equal(view.getInt32(start - 4), end - start);
    if (this.credit === 0) return false;
    this.credit--;
    this.frames.push(toHex(bytes.subarray(start, end)));
    return true;
  }
}

function streamOf(payloads: readonly Uint8Array[]): Uint8Array {
  const parts = payloads.map((payload) => {
    const prefix = Buffer.alloc(4);
    prefix.writeInt32BE(payload.length);
    return Buffer.concat([prefix, payload]);
  });
  return new Uint8Array(Buffer.concat(parts));
}

/** `stream` cut at the given places, each chunk a view into memory that is wiped after use. */
function* chunksOf(stream: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  const places = [...cuts.map((cut) => cut % (stream.length + 1)), 0, stream.length].sort((a, b) => a - b);
  for (let i = 1; i < places.length; i++) {
    const around = new Uint8Array(places[i]! - places[i - 1]! + 5);
    around.set(stream.subarray(places[i - 1], places[i]), 3);
    yield around.subarray(3, around.length - 2);
    around.fill(0xdd);
  }
}

const payloads = fc.array(fc.uint8Array({ maxLength: LIMIT }), { maxLength: 12 });
const cuts = fc.array(fc.nat(1000), { maxLength: 20 });

test('any chunking gives the same frames', () => {
  fc.assert(
    fc.property(payloads, cuts, (frames, places) => {
      const consumer = new Consumer();
      const splitter = new FrameSplitter(LIMIT, consumer);
      for (const chunk of chunksOf(streamOf(frames), places)) {
        assert.equal(splitter.push(chunk), FrameStatus.ok);
      }
      assert.deepEqual(consumer.frames, frames.map(toHex));
      assert.equal(splitter.bufferedBytes, 0);
    }),
    { numRuns: 500 },
  );
});

test('any chunking with any stops gives the same frames, and nothing is lost between', () => {
  fc.assert(
    fc.property(
      payloads,
      cuts,
      fc.array(fc.nat(3), { minLength: 1, maxLength: 30 }),
      (frames, places, credits) => {
        const consumer = new Consumer();
        const splitter = new FrameSplitter(LIMIT, consumer);
        let turn = 0;
        let pushed = 0;
        const taken = (): number => consumer.frames.reduce((sum, frame) => sum + 4 + frame.length / 2, 0);
        for (const chunk of chunksOf(streamOf(frames), places)) {
          consumer.credit = credits[turn++ % credits.length]!;
          pushed += chunk.length;
          let status = splitter.push(chunk);
          assert.equal(splitter.bufferedBytes, pushed - taken());
          consumer.credit = credits[turn++ % credits.length]!;
          // On half of the turns the next chunk arrives while stopped.
          if (turn % 4 === 0) status = splitter.resume();
          assert.equal(splitter.bufferedBytes, pushed - taken());
          assert.notEqual(status, FrameStatus.tooLong);
        }
        consumer.credit = Number.POSITIVE_INFINITY;
        assert.equal(splitter.resume(), FrameStatus.ok);
        assert.deepEqual(consumer.frames, frames.map(toHex));
      },
    ),
    { numRuns: 500 },
  );
});

test('a frame inside a chunk is handed over where it is', () => {
  const chunk = hex('00000002 6162');
  let seen: Uint8Array | null = null;
  const splitter = new FrameSplitter(LIMIT, {
    onFrame(bytes) {
      seen = bytes;
      return true;
    },
  });
  splitter.push(chunk);
  assert.equal(seen, chunk);
});

test('a frame of exactly the limit passes; one byte more, or a negative length, is refused for good', () => {
  const consumer = new Consumer();
  assert.equal(new FrameSplitter(LIMIT, consumer).push(streamOf([new Uint8Array(LIMIT)])), FrameStatus.ok);
  assert.equal(consumer.frames.length, 1);
  for (const prefix of ['00000041', 'ffffffff', '80000000', '7fffffff']) {
    const refused = new Consumer();
    const splitter = new FrameSplitter(LIMIT, refused);
    assert.equal(splitter.push(hex('00000001 61' + prefix)), FrameStatus.tooLong);
    assert.equal(splitter.push(hex('00000001 62')), FrameStatus.tooLong);
    assert.equal(splitter.resume(), FrameStatus.tooLong);
    assert.deepEqual(refused.frames, ['61']);
    assert.equal(splitter.bufferedBytes, 0);
  }
});

test('a bad length is refused as soon as its fourth byte is there, however it arrives', () => {
  const splitter = new FrameSplitter(LIMIT, new Consumer());
  for (const byte of ['00', '00', '00']) assert.equal(splitter.push(hex(byte)), FrameStatus.ok);
  assert.equal(splitter.push(hex('41')), FrameStatus.tooLong);
});

test('a bad length behind a frame that was not taken is refused on resume', () => {
  const consumer = new Consumer();
  consumer.credit = 0;
  const splitter = new FrameSplitter(LIMIT, consumer);
  assert.equal(splitter.push(hex('00000001 61 ffffffff')), FrameStatus.stopped);
  assert.equal(splitter.bufferedBytes, 9);
  consumer.credit = 9;
  assert.equal(splitter.resume(), FrameStatus.tooLong);
  assert.deepEqual(consumer.frames, ['61']);
  assert.equal(splitter.bufferedBytes, 0);
});

test('an empty payload is a frame', () => {
  const consumer = new Consumer();
  new FrameSplitter(LIMIT, consumer).push(hex('00000000 00000000'));
  assert.deepEqual(consumer.frames, ['', '']);
});

test('resume without a stop does nothing', () => {
  const consumer = new Consumer();
  const splitter = new FrameSplitter(LIMIT, consumer);
  splitter.push(hex('00000003 61'));
  assert.equal(splitter.resume(), FrameStatus.ok);
  assert.equal(splitter.bufferedBytes, 5);
  splitter.push(hex('6263'));
  assert.deepEqual(consumer.frames, ['616263']);
});

test('a large frame in many chunks arrives whole, and what follows it too', () => {
  const payload = new Uint8Array(1_000_000).map((_, i) => i);
  const stream = streamOf([payload, hex('0102'), payload]);
  const consumer = new Consumer();
  const splitter = new FrameSplitter(0xfffff, consumer);
  for (let at = 0; at < stream.length; at += 65_536) splitter.push(stream.subarray(at, at + 65_536));
  assert.deepEqual(consumer.frames, [toHex(payload), '0102', toHex(payload)]);
  assert.equal(splitter.bufferedBytes, 0);
});

test('a declared length costs nothing: memory follows the bytes that arrive', () => {
  const before = process.memoryUsage().arrayBuffers;
  const splitters: FrameSplitter[] = [];
  for (let i = 0; i < 500; i++) {
    const splitter = new FrameSplitter(0xfffff, new Consumer());
    splitter.push(hex('000fffff 00'));
    assert.equal(splitter.bufferedBytes, 5);
    splitters.push(splitter);
  }
  // 500 declared megabytes; 256 bytes each are held.
  assert.ok(process.memoryUsage().arrayBuffers - before < 20e6);
  assert.equal(splitters.length, 500);
});
