/** gzip and snappy streams: ours read what others write, and no damage makes a decoder hang, crash or lie. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { constants, crc32, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { compress } from 'snappyjs';
import { CorruptionFailure } from '../../src/base/failure.ts';
import { Prng } from '../../src/base/prng.ts';
import type { ByteSource } from '../../src/storage/byte-window.ts';
import { GunzipSource, gzipMember } from '../../src/storage/gzip.ts';
import { SnappySource, snappyBlocks, snappyHeader } from '../../src/storage/snappy.ts';

/** Hands out its bytes in pieces of odd sizes. */
class PieceSource implements ByteSource {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  read(into: Uint8Array, at: number, length: number): number {
    const piece = this.bytes.subarray(this.at, this.at + Math.min(length, 1 + ((this.at * 7) % 5000)));
    into.set(piece, at);
    this.at += piece.length;
    return piece.length;
  }
}

function drain(source: ByteSource): Buffer {
  const pieces: Buffer[] = [];
  for (let total = 0; ; ) {
    const piece = Buffer.alloc(10_000);
    const count = source.read(piece, 0, 1 + (total % piece.length));
    if (count === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, count));
    total += count;
  }
}

const gunzip = (bytes: Uint8Array): Buffer => drain(new GunzipSource(new PieceSource(bytes), 'x.gz'));
const unsnappy = (bytes: Uint8Array): Buffer => drain(new SnappySource(new PieceSource(bytes), 'x.snappy'));

/** Text-like, runs, noise: what makes every kind of block and code. */
function sample(seed: number, length: number): Buffer {
  const prng = new Prng(seed);
  const bytes = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const run = Math.min(length - at, 1 + prng.below(2000));
    const kind = prng.below(4);
    for (let i = 0; i < run; i++, at++) {
      if (kind === 0) bytes[at] = prng.below(256);
      else if (kind === 1) bytes[at] = 97 + prng.below(8);
      else if (kind === 2) bytes[at] = run % 256;
      else bytes[at] = at > 40_000 ? bytes[at - 30_000 - (run % 2700)]! : 32;
    }
  }
  return bytes;
}

const sampled = fc.tuple(fc.integer(), fc.nat(300_000)).map(([seed, length]) => sample(seed, length));

suite('gzip', () => {
  test('inflates every level and strategy of zlib', () => {
    const strategies = [
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_FILTERED,
      constants.Z_HUFFMAN_ONLY,
      constants.Z_RLE,
      constants.Z_FIXED,
    ];
    fc.assert(
      fc.property(sampled, fc.nat(9), fc.constantFrom(...strategies), (bytes, level, strategy) => {
        assert.ok(gunzip(gzipSync(bytes, { level, strategy })).equals(bytes));
      }),
      { numRuns: 60 },
    );
  });

  test('joins members, ours are readable by zlib', () => {
    const bytes = sample(5, 100_000);
    const members = [0, 1, 40_000, 99_999].map((start, i, all) =>
      gzipMember(bytes, start, all[i + 1] ?? 100_000),
    );
    assert.ok(gunzip(Buffer.concat(members)).equals(bytes));
    assert.ok(gunzipSync(Buffer.concat(members)).equals(bytes));
  });

  test('skips the optional header fields', () => {
    const plain = gzipSync(Buffer.from('hello'));
    const extra = Buffer.from('0300616263', 'hex');
    const header = Buffer.concat([plain.subarray(0, 10), extra, Buffer.from('name\0comment\0')]);
    header[3] = 2 | 4 | 8 | 16;
    const sum = Buffer.alloc(2);
    sum.writeUInt16LE(crc32(header) & 0xffff);
    assert.equal(gunzip(Buffer.concat([header, sum, plain.subarray(10)])).toString(), 'hello');
    sum[0]! ^= 1;
    assert.throws(
      () => gunzip(Buffer.concat([header, sum, plain.subarray(10)])),
      /x\.gz is corrupt near offset/,
    );
  });

  test('damaged or cut streams are refused or give the same bytes', () => {
    const bytes = sample(9, 50_000);
    const packed = gzipSync(bytes);
    checkDamage(packed, (damaged) => gunzip(damaged), bytes);
    for (let at = 1; at < packed.length; at += 97) {
      assert.throws(() => gunzip(packed.subarray(0, at)), CorruptionFailure);
    }
  });
});

suite('gzip in small pieces', () => {
  test('a member that inflates a thousandfold fills what it is given and no more', () => {
    const packed = gzipSync(Buffer.alloc(50_000_000, 7));
    const source = new GunzipSource(new PieceSource(packed), 'x.gz');
    const into = new Uint8Array(1000);
    let total = 0;
    for (let count = source.read(into, 10, 900); count > 0; count = source.read(into, 10, 900)) {
      assert.ok(count <= 900);
      total += count;
      if (total > 5_000_000) break;
    }
    assert.deepEqual([into[9], into[10], into[909], into[910]], [0, 7, 7, 0]);
    assert.ok(total > 5_000_000);
  });

  test('an empty stream, a wrong magic and a trailer that lies are refused, each with file and offset', () => {
    const packed = gzipSync(Buffer.from('hello'));
    const wrong = (at: number): Buffer => packed.map((byte, i) => (i === at ? byte ^ 1 : byte)) as Buffer;
    for (const [bytes, reason] of [
      [Buffer.alloc(0), /near offset 0: gzip: the data ends early/],
      [wrong(0), /gzip: incorrect header check/],
      [wrong(packed.length - 8), /gzip: incorrect data check/],
      [wrong(packed.length - 4), /gzip: incorrect length check/],
      [Buffer.concat([packed, Buffer.from('more')]), /gzip: incorrect header check/],
    ] as const) {
      assert.throws(() => gunzip(bytes), { name: 'CorruptionFailure', message: reason });
    }
  });
});

suite('snappy', () => {
  function pack(bytes: Uint8Array): Buffer {
    const parts = [snappyHeader()];
    snappyBlocks(bytes, 0, bytes.length, (framed) => parts.push(framed));
    return Buffer.concat(parts);
  }

  test('reads what it writes', () => {
    fc.assert(
      fc.property(sampled, (bytes) => assert.ok(unsnappy(pack(bytes)).equals(bytes))),
      { numRuns: 40 },
    );
  });

  test('reads blocks larger than its own', () => {
    const bytes = sample(11, 300_000);
    const block = compress(bytes);
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    assert.ok(unsnappy(Buffer.concat([snappyHeader(), length, block])).equals(bytes));
  });

  test('a literal whose length has the top bit set is refused, it does not hang', () => {
    const block = Buffer.from('05fcf0ffffff', 'hex');
    const stream = Buffer.concat([snappyHeader(), Buffer.from([0, 0, 0, block.length]), block]);
    assert.throws(() => unsnappy(stream), /x\.snappy is corrupt near offset 20: a block is damaged/);
  });

  test('damaged streams are refused or give bytes, a cut one is refused', () => {
    const bytes = sample(13, 50_000);
    const packed = pack(bytes);
    checkDamage(packed, (damaged) => unsnappy(damaged), null);
    for (const at of [0, 7, 15, 18, 30, packed.length - 1]) {
      assert.throws(() => unsnappy(packed.subarray(0, at)), CorruptionFailure);
    }
  });
});

/** `expected` null: the format has no checksum of its own, so other bytes may come out. */
function checkDamage(packed: Buffer, unpack: (bytes: Buffer) => Buffer, expected: Buffer | null): void {
  for (let at = 0; at < packed.length; at += 1 + Math.floor(packed.length / 500)) {
    const damaged = Buffer.from(packed);
    damaged[at]! ^= 1 << (at % 8);
    try {
      const bytes = unpack(damaged);
      if (expected !== null) assert.ok(bytes.equals(expected), `offset ${at}`);
    } catch (error) {
      assert.ok(error instanceof CorruptionFailure, String(error));
    }
  }
}
