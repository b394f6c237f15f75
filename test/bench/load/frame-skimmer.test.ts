/** The skimmer must see the same frames however the stream is cut into chunks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameSkimmer, REPLY_HEAD_BYTES, REQUEST_HEAD_BYTES } from '../../../bench/load/frame-skimmer.ts';

interface Seen {
  readonly word1: number;
  readonly word4: number;
}

function frame(xid: number, err: number, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(20 + bodyBytes, 0xee);
  bytes.writeInt32BE(16 + bodyBytes, 0);
  bytes.writeInt32BE(xid, 4);
  bytes.writeInt32BE(err, 16);
  return bytes;
}

/** Cuts at the given points and reports each frame with the number of bytes fed until then. */
function skim(
  stream: Buffer,
  cuts: readonly number[],
): { seen: Seen[]; fedAt: number[]; malformed: boolean } {
  const skimmer = new FrameSkimmer(REPLY_HEAD_BYTES);
  const seen: Seen[] = [];
  const fedAt: number[] = [];
  const points = [...new Set([...cuts, stream.length])].sort((a, b) => a - b);
  let start = 0;
  for (const end of points) {
    const chunk = new Uint8Array(stream.subarray(start, end)); // a copy: the skimmer may not look back
    skimmer.begin(new DataView(chunk.buffer), 0, chunk.length);
    while (skimmer.next()) {
      seen.push({ word1: skimmer.word1, word4: skimmer.word4 });
      fedAt.push(end);
    }
    start = end;
  }
  return { seen, fedAt, malformed: skimmer.malformed };
}

test('every chunking of a reply stream gives every frame once, in order, when its last byte has come', () => {
  const replies = fc.array(fc.record({ err: fc.integer(), bodyBytes: fc.nat({ max: 60 }) }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(replies, fc.array(fc.nat({ max: 900 })), (list, cuts) => {
      const frames = list.map(({ err, bodyBytes }, i) => frame(i + 1, err, bodyBytes));
      const stream = Buffer.concat(frames);
      const { seen, fedAt, malformed } = skim(
        stream,
        cuts.filter((cut) => cut < stream.length),
      );
      assert.equal(malformed, false);
      assert.deepEqual(
        seen,
        list.map(({ err }, i) => ({ word1: i + 1, word4: err })),
      );
      let end = 0;
      frames.forEach((bytes, i) => {
        end += bytes.length;
        assert.ok(fedAt[i]! >= end, 'a frame was reported before its last byte');
      });
    }),
  );
});

test('a length shorter than a head or absurdly long is malformed, also when the head is cut', () => {
  for (const length of [-1, 0, 15, 0x7fffffff]) {
    const bad = frame(1, 0, 0);
    bad.writeInt32BE(length, 0);
    for (const cuts of [[], [3], [19]]) assert.equal(skim(bad, cuts).malformed, true, `length ${length}`);
  }
});

test('requests have a head of 12 bytes, so that a ping is a whole frame', () => {
  const skimmer = new FrameSkimmer(REQUEST_HEAD_BYTES);
  const ping = Buffer.from('00000008fffffffe0000000b', 'hex');
  skimmer.begin(new DataView(ping.buffer, ping.byteOffset, ping.length), 0, ping.length);
  assert.equal(skimmer.next(), true);
  assert.deepEqual([skimmer.word1, skimmer.word2], [-2, 11]);
  assert.equal(skimmer.next(), false);
});

test('after reset the stream starts anew', () => {
  const skimmer = new FrameSkimmer(REPLY_HEAD_BYTES);
  const half = frame(1, 0, 10).subarray(0, 22);
  skimmer.begin(new DataView(new Uint8Array(half).buffer), 0, half.length);
  assert.equal(skimmer.next(), false);
  skimmer.reset();
  const whole = new Uint8Array(frame(7, -101, 0));
  skimmer.begin(new DataView(whole.buffer), 0, whole.length);
  assert.equal(skimmer.next(), true);
  assert.deepEqual([skimmer.word1, skimmer.word4], [7, -101]);
});
