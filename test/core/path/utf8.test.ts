import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeUtf8, encodeUtf8, utf8Length } from '../../../src/core/path/utf8.ts';

test('decoding agrees with TextDecoder on any bytes', () => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const lead = fc.constantFrom(0x61, 0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff);
  const bytes = fc.array(fc.oneof(lead, fc.integer({ min: 0x7f, max: 0xc0 }), fc.nat(255)), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(bytes, (list) => {
      const input = Uint8Array.from(list);
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
