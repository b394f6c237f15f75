import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeUtf8, encodeUtf8, utf8Length } from '../../src/wire/utf8.ts';

/** Java's decoder, which Apache's strings come from, was asked for each of these (OpenJDK 17). */
const AS_JAVA: readonly (readonly [hex: string, text: string])[] = [
  ['eda0bdedb880', '\ufffd\ufffd'],
  ['f09f9861', '\ufffda'],
  ['c080', '\ufffd\ufffd'],
  ['e08080', '\ufffd\ufffd\ufffd'],
];

test('surrogates, cut characters and overlong forms read as in Java', () => {
  for (const [hex, text] of AS_JAVA) {
    const bytes = Buffer.from(hex, 'hex');
    assert.equal(decodeUtf8(bytes, 0, bytes.length), text, hex);
  }
});

test('all other decoding agrees with TextDecoder on any bytes', () => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const lead = fc.constantFrom(0x61, 0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff);
  const bytes = fc.array(fc.oneof(lead, fc.integer({ min: 0x7f, max: 0xc0 }), fc.nat(255)), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(bytes, (list) => {
      const input = Uint8Array.from(list);
      // There the two differ on purpose: WHATWG makes three replacements of a surrogate in three bytes.
      fc.pre(!list.some((byte, i) => byte === 0xed && list[i + 1]! >= 0xa0 && list[i + 1]! <= 0xbf));
      assert.equal(decodeUtf8(input, 0, input.length), decoder.decode(input));
    }),
    { numRuns: 3000 },
  );
});

test('encoding agrees with TextEncoder on any string', () => {
  const unit = fc.oneof(fc.nat(0xffff), fc.constantFrom(0x61, 0xd83d, 0xde00, 0xd800, 0xdfff));
  const text = fc.array(unit, { maxLength: 10 }).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(text, (input) => {
      const bytes = encodeUtf8(input);
      assert.deepEqual(Buffer.from(bytes), Buffer.from(new TextEncoder().encode(input)));
      assert.equal(utf8Length(input), bytes.length);
    }),
    { numRuns: 3000 },
  );
});

test('only the given range is decoded', () => {
  assert.equal(decodeUtf8(Buffer.from('xaéby'), 1, 5), 'aéb');
  assert.equal(decodeUtf8(Buffer.from('é'), 0, 1), '\ufffd');
});
