/**
 * UTF-8 without TextDecoder, which this layer does not have, and with exactly the behaviour of Apache's strings:
 *
 * - Decoding never fails: what is malformed reads as U+FFFD, one per maximal prefix of a well-formed sequence.
 *   A surrogate in three bytes is one U+FFFD, as in Java (WHATWG decoders make it three).
 * - The server encodes each UTF-16 unit on its own, so a supplementary character takes 3 + 3 bytes ("CESU-8").
 *   Clients encode plain UTF-8. The two differ only for characters that paths may not contain.
 *
 * Pure functions, any thread. `codePointAt` is fit for the data plane; the string functions are for
 * value codecs.
 */

const REPLACEMENT = 0xfffd;
const WIDTH_BITS = 3;
const WIDTH_MASK = (1 << WIDTH_BITS) - 1;

/**
 * The code point at `offset < end` and the bytes it takes, packed as `codePoint << 3 | width` so that nothing is
 * allocated.
 *
 *     lead       second byte   more
 *     00..7f     -             0
 *     c2..df     80..bf        0
 *     e0         a0..bf        1
 *     e1..ef     80..bf        1      (ed a0..bf would be surrogates: replaced as a whole)
 *     f0         90..bf        2
 *     f1..f3     80..bf        2
 *     f4         80..8f        2
 *     others     malformed
 */
export function codePointAt(bytes: Uint8Array, offset: number, end: number): number {
  const lead = bytes[offset]!;
  if (lead < 0x80) return (lead << WIDTH_BITS) | 1;
  if (lead < 0xc2 || lead > 0xf4) return (REPLACEMENT << WIDTH_BITS) | 1;
  const width = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const secondMin = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const secondMax = lead === 0xf4 ? 0x8f : 0xbf;
  let codePoint = lead & (0xff >> (width + 1));
  for (let i = 1; i < width; i++) {
    // Past the end reads as a byte that continues nothing.
    const byte = offset + i < end ? bytes[offset + i]! : 0;
    const fits = i === 1 ? byte >= secondMin && byte <= secondMax : (byte & 0xc0) === 0x80;
    if (!fits) return (REPLACEMENT << WIDTH_BITS) | i;
    codePoint = (codePoint << 6) | (byte & 0x3f);
  }
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) codePoint = REPLACEMENT;
  return (codePoint << WIDTH_BITS) | width;
}

// Strings are built in pieces of this many UTF-16 units.
const PIECE_UNITS = 2048;
const units = new Uint16Array(PIECE_UNITS);

export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let count = 0;
  for (let i = start; i < end; ) {
    const packed = codePointAt(bytes, i, end);
    const codePoint = packed >> WIDTH_BITS;
    i += packed & WIDTH_MASK;
    if (codePoint < 0x10000) {
      units[count++] = codePoint;
    } else {
      units[count++] = 0xd800 + ((codePoint - 0x10000) >> 10);
      units[count++] = 0xdc00 + (codePoint & 0x3ff);
    }
    if (count >= PIECE_UNITS - 1) {
      text += unitsToString(count);
      count = 0;
    }
  }
  return text + unitsToString(count);
}

function unitsToString(count: number): string {
  return String.fromCharCode.apply(null, units.subarray(0, count) as unknown as number[]);
}

/** No UTF-16 unit takes more bytes than this in either encoding. */
export const UTF8_BYTES_PER_UNIT_MAX = 3;

/** Plain UTF-8, a lone surrogate as U+FFFD; returns the offset behind it. */
export function writeUtf8(text: string, target: Uint8Array, offset: number): number {
  for (let i = 0; i < text.length; i++) {
    let codePoint = text.codePointAt(i)!;
    if (codePoint >= 0x10000) {
      i++;
      target[offset++] = 0xf0 | (codePoint >> 18);
      target[offset++] = 0x80 | ((codePoint >> 12) & 0x3f);
      target[offset++] = 0x80 | ((codePoint >> 6) & 0x3f);
      target[offset++] = 0x80 | (codePoint & 0x3f);
    } else {
      if (codePoint >= 0xd800 && codePoint <= 0xdfff) codePoint = REPLACEMENT;
      offset = writeUnit(codePoint, target, offset);
    }
  }
  return offset;
}

/** How many bytes `writeUtf8` needs for `text`. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const codePoint = text.codePointAt(i)!;
    length += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    if (codePoint >= 0x10000) i++;
  }
  return length;
}

/** The plain UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  writeUtf8(text, bytes, 0);
  return bytes;
}

/** Each UTF-16 unit on its own, as Apache's server writes; returns the offset behind it. */
export function writeCesu8(text: string, target: Uint8Array, offset: number): number {
  for (let i = 0; i < text.length; i++) offset = writeUnit(text.charCodeAt(i), target, offset);
  return offset;
}

function writeUnit(unit: number, target: Uint8Array, offset: number): number {
  if (unit < 0x80) {
    target[offset] = unit;
    return offset + 1;
  }
  if (unit < 0x800) {
    target[offset] = 0xc0 | (unit >> 6);
    target[offset + 1] = 0x80 | (unit & 0x3f);
    return offset + 2;
  }
  target[offset] = 0xe0 | (unit >> 12);
  target[offset + 1] = 0x80 | ((unit >> 6) & 0x3f);
  target[offset + 2] = 0x80 | (unit & 0x3f);
  return offset + 3;
}
