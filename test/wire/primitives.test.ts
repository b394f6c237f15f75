/** utf8.ts, jute-reader.ts, jute-writer.ts, jute-skip.ts, copy-bytes.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AssertionFailure } from '../../src/base/assert.ts';
import { copyBytes } from '../../src/wire/copy-bytes.ts';
import { JuteReader, MalformedRecord, readText } from '../../src/wire/jute-reader.ts';
import { MALFORMED, skipAcls, skipBuffer, skipStrings, vectorCount } from '../../src/wire/jute-skip.ts';
import { JuteWriter, writeBytesAt, writeString } from '../../src/wire/jute-writer.ts';
import { codePointAt, decodeUtf8, writeCesu8, writeUtf8 } from '../../src/wire/utf8.ts';
import { int32, int64, nullableBlob, nullableText, zxid } from './arbitraries.ts';
import { hex, toHex, viewOf } from './bytes.ts';

const decode = (bytes: Uint8Array): string => decodeUtf8(bytes, 0, bytes.length);

test('UTF-8 of any string is what the platform encodes, and decodes to what it decodes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(5), (text, offset) => {
      const target = new Uint8Array(offset + text.length * 3);
      const end = writeUtf8(text, target, offset);
      const expected = new TextEncoder().encode(text);
      assert.equal(toHex(target.subarray(offset, end)), toHex(expected));
      assert.equal(decode(expected), text);
    }),
  );
});

test('a lone surrogate is written as U+FFFD', () => {
  const target = new Uint8Array(9);
  assert.equal(toHex(target.subarray(0, writeUtf8('\ud800', target, 0))), 'efbfbd');
  assert.equal(toHex(target.subarray(0, writeUtf8('\udc00x', target, 0))), 'efbfbd78');
});

test('a long string survives the piecewise build, with a pair on every seam', () => {
  for (let shift = 0; shift < 4; shift++) {
    const text = 'x'.repeat(2044 + shift) + '😀é'.repeat(3000);
    assert.equal(decode(new TextEncoder().encode(text)), text);
  }
});

test('any bytes decode as the platform decodes them, surrogates aside', () => {
  const platform = new TextDecoder('utf-8', { ignoreBOM: true });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      fc.pre(!bytes.some((byte, i) => byte === 0xed && (bytes[i + 1] ?? 0) >= 0xa0));
      assert.equal(decode(bytes), platform.decode(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('malformed UTF-8 reads as one U+FFFD per maximal prefix, a three-byte surrogate as one', () => {
  const r = '�';
  assert.equal(decode(hex('eda080')), r);
  assert.equal(decode(hex('eda0bd edb880')), r + r);
  assert.equal(decode(hex('eda0')), r);
  assert.equal(decode(hex('c0af')), r + r);
  assert.equal(decode(hex('e28261')), r + 'a');
  assert.equal(decode(hex('f0908080')), '\u{10000}');
  assert.equal(decode(hex('f08f8080')), r.repeat(4));
  assert.equal(decode(hex('f4908080')), r.repeat(4));
  assert.equal(decode(hex('f09f98')), r);
  assert.equal(decode(hex('ff41fe')), r + 'A' + r);
});

test('a code point comes packed with its width', () => {
  const bytes = hex('41 c3a9 e282ac f09f9880 80');
  const seen: [number, number][] = [];
  for (let i = 0; i < bytes.length; ) {
    const packed = codePointAt(bytes, i, bytes.length);
    seen.push([packed >> 3, packed & 7]);
    i += packed & 7;
  }
  assert.deepEqual(seen, [
    [0x41, 1],
    [0xe9, 2],
    [0x20ac, 3],
    [0x1f600, 4],
    [0xfffd, 1],
  ]);
});

test('CESU-8 writes each UTF-16 unit on its own', () => {
  const target = new Uint8Array(30);
  assert.equal(toHex(target.subarray(0, writeCesu8('a😀', target, 0))), '61eda0bdedb880');
});

test('jute primitives survive a round trip and end exactly at the end', () => {
  fc.assert(
    fc.property(
      int32,
      zxid,
      int64,
      fc.boolean(),
      nullableBlob,
      nullableText,
      fc.option(fc.array(nullableText)),
      (int, long, big, bool, blob, text, vector) => {
        const writer = new JuteWriter(1);
        writer.writeInt(int);
        writer.writeLong(long);
        writer.writeBigLong(big);
        writer.writeBool(bool);
        writer.writeBuffer(blob);
        writer.writeString(text);
        writer.writeVector(vector, writeString);
        const reader = new JuteReader(writer.toBytes());
        assert.equal(reader.readInt(), int);
        assert.equal(reader.readLong(), long);
        assert.equal(reader.readBigLong(), big);
        assert.equal(reader.readBool(), bool);
        assert.deepEqual(reader.readBuffer(), blob);
        assert.equal(reader.readString(), text);
        assert.deepEqual(
          reader.readVector((r) => r.readString()),
          vector,
        );
        assert.equal(reader.remaining, 0);
      },
    ),
  );
});

test('the reader refuses what is not there, and says where', () => {
  const cases: [string, (reader: JuteReader) => unknown, RegExp][] = [
    ['000000', (r) => r.readInt(), /expected an int at byte 0, before the end at byte 3/],
    ['00000005 61', (r) => r.readBuffer(), /the bytes of a buffer at byte 4/],
    ['fffffffe', (r) => r.readBuffer(), /the length of a buffer at byte 0/],
    ['fffffffe', (r) => r.readString(), /the length of a string at byte 0/],
    ['7fffffff 61', (r) => r.readString(), /the bytes of a string at byte 4/],
    ['ffffffff', (r) => r.readText(), /a string other than null at byte 0/],
    ['7fffffff 00000000', (r) => r.readVector(readText), /a vector that fits into the record at byte 0/],
    ['7fffffffffffffff', (r) => r.readLong(), /a long within 2\^53 at byte 0/],
    ['', (r) => r.readBool(), /a boolean at byte 0/],
  ];
  for (const [bytes, read, message] of cases) {
    assert.throws(
      () => read(new JuteReader(hex(bytes))),
      (error: unknown) => error instanceof MalformedRecord && message.test(error.message),
    );
  }
});

test('the reader takes null vectors for null, other negative counts for empty, any non-zero byte for true', () => {
  assert.equal(new JuteReader(hex('ffffffff')).readVector(readText), null);
  assert.deepEqual(new JuteReader(hex('fffffffe')).readVector(readText), []);
  assert.deepEqual(new JuteReader(hex('ffffffff')).readList(readText), []);
  assert.equal(new JuteReader(hex('80')).readBool(), true);
});

test('the reader keeps to its slice of a larger array', () => {
  const bytes = hex('ee 00000001 00000002 ee');
  const reader = new JuteReader(bytes, viewOf(bytes), 1, 5);
  assert.equal(reader.readInt(), 1);
  assert.throws(() => reader.readInt(), MalformedRecord);
});

test('the writer refuses a long that a number cannot hold', () => {
  assert.throws(() => new JuteWriter().writeLong(2 ** 53), AssertionFailure);
});

test('a buffer begun in place gets its length, nested or not', () => {
  const writer = new JuteWriter(4);
  const outer = writer.beginBuffer();
  writer.writeBool(true);
  const inner = writer.beginBuffer();
  writer.writeInt(7);
  writer.endBuffer(inner);
  writer.endBuffer(outer);
  assert.equal(toHex(writer.written), '00000009' + '01' + '00000004' + '00000007');
  writer.reset();
  assert.equal(writer.toBytes().length, 0);
});

test('a CESU-8 writer differs for supplementary characters only', () => {
  const writer = new JuteWriter(4, 'cesu8');
  writer.writeString('é😀');
  assert.equal(toHex(writer.written), '00000008' + 'c3a9' + 'eda0bdedb880');
});

test('writeBytesAt writes null, empty and content', () => {
  const bytes = new Uint8Array(16);
  const view = viewOf(bytes);
  const source = hex('00 616263');
  assert.equal(writeBytesAt(bytes, view, 0, source, 1, -1), 4);
  assert.equal(writeBytesAt(bytes, view, 4, source, 1, 0), 8);
  assert.equal(writeBytesAt(bytes, view, 8, source, 1, 3), 15);
  assert.equal(toHex(bytes), 'ffffffff' + '00000000' + '00000003' + '616263' + '00');
});

test('skips end where the reader ends, and are malformed where it throws', () => {
  const readAcl = (r: JuteReader): void => {
    r.readInt();
    r.readString();
    r.readString();
  };
  const pairs: [(view: DataView, offset: number, end: number) => number, (reader: JuteReader) => unknown][] =
    [
      [skipBuffer, (r) => r.readBuffer()],
      [skipStrings, (r) => r.readVector((inner) => inner.readString())],
      [skipAcls, (r) => r.readVector(readAcl)],
    ];
  const word = fc.oneof(fc.integer({ min: -3, max: 9 }), int32);
  const input = fc.tuple(fc.array(word, { maxLength: 12 }), fc.nat(3)).map(([words, cut]) => {
    const bytes = new Uint8Array(words.length * 4);
    for (let i = 0; i < words.length; i++) viewOf(bytes).setInt32(i * 4, words[i]!);
    return bytes.subarray(0, Math.max(bytes.length - cut, 0));
  });
  fc.assert(
    fc.property(input, (bytes) => {
      for (const [skip, read] of pairs) {
        const reader = new JuteReader(bytes);
        let expected = MALFORMED;
        try {
          read(reader);
          expected = reader.position;
        } catch (error) {
          assert(error instanceof MalformedRecord);
        }
        assert.equal(skip(viewOf(bytes), 0, bytes.length), expected);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a vector count is null, or at least 0', () => {
  assert.equal(vectorCount(viewOf(hex('ffffffff')), 0), -1);
  assert.equal(vectorCount(viewOf(hex('80000000')), 0), 0);
  assert.equal(vectorCount(viewOf(hex('00000003')), 0), 3);
});

test('copyBytes copies any length in any alignment, between shared and private memory', () => {
  const make = [(n: number) => new Uint8Array(n), (n: number) => new Uint8Array(new SharedArrayBuffer(n))];
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 90 }),
      fc.nat(9),
      fc.nat(9),
      fc.constantFrom(...make),
      fc.constantFrom(...make),
      (content, from, to, makeSource, makeTarget) => {
        const source = makeSource(from + content.length);
        source.set(content, from);
        const target = makeTarget(to + content.length + 1);
        copyBytes(source, from, content.length, target, to);
        assert.deepEqual([...target], [...new Uint8Array(to), ...content, 0]);
      },
    ),
  );
});

test('copyBytes refuses to write less than it was asked to', () => {
  assert.throws(() => copyBytes(new Uint8Array(100), 0, 100, new Uint8Array(99), 0), Error);
  assert.throws(() => copyBytes(new Uint8Array(100), 50, 51, new Uint8Array(200), 0), Error);
});
