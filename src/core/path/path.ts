/**
 * Rules and arithmetic of znode paths, on UTF-8 bytes.
 *
 * Two forms exist. The *client form* is what travels on the wire: the root is "/". The *stored form* is what
 * the tree, the files and every table of the core use: the root is the empty path and every other path is
 * unchanged, so that each ancestor of a path is simply the prefix that ends before one of its slashes:
 *
 *     /app/lock/n-0000000007      ancestors: "" | "/app" | "/app/lock"
 *     ^   ^    ^
 *
 * Called on the core thread, on the data plane: nothing here allocates (except `pathText`, for people), keeps
 * state or throws. No function looks outside `bytes[start, start + length)`.
 */
import { decodeUtf8 } from '../../wire/utf8.ts';

const SLASH = 0x2f;
const DOT = 0x2e;
const DELETE = 0x7f;

const ZOOKEEPER = asciiBytes('/zookeeper');
const QUOTA = asciiBytes('/zookeeper/quota');
const CONFIG = asciiBytes('/zookeeper/config');

/** Java formats sequence numbers with `%010d`; the longest is -2147483648. */
export const SEQUENCE_SUFFIX_BYTES_MAX = 11;
const SEQUENCE_SUFFIX_WIDTH = 10;

/**
 * Whether a path in client form may name a znode (a null path, length -1, may not). Apache checks UTF-16 units after a lenient decoding; the same
 * rules seen from the bytes:
 *
 *   - begins with "/", does not end with "/" (unless it is the root), no empty component;
 *   - no component that is exactly "." or "..";
 *   - none of U+0000-001F, U+007F-009F, U+D800-F8FF (surrogates and private use, hence nothing above U+FFFF),
 *     U+FFF0-FFFF; malformed UTF-8 decodes to U+FFFD, which is in the last range.
 */
export function isValidPath(bytes: Uint8Array, start: number, length: number): boolean {
  if (length <= 0 || bytes[start] !== SLASH) return false;
  if (length === 1) return true;
  const end = start + length;
  if (bytes[end - 1] === SLASH) return false;
  let previous = SLASH;
  for (let i = start + 1; i < end; ) {
    const byte = bytes[i]!;
    if (byte >= 0x80) {
      const width = validSequenceWidth(bytes, i, end);
      if (width === 0) return false;
      i += width;
    } else {
      if (byte < 0x20 || byte === DELETE) return false;
      if (previous === SLASH) {
        if (byte === SLASH) return false;
        if (byte === DOT && isDotComponent(bytes, i, end)) return false;
      }
      i++;
    }
    previous = byte;
  }
  return true;
}

/** Width (2 or 3) of the well-formed and allowed non-ASCII character at `i`; 0 when it is neither. */
function validSequenceWidth(bytes: Uint8Array, i: number, end: number): number {
  const lead = bytes[i]!;
  if (lead < 0xc2 || lead >= 0xf0 || i + 1 >= end) return 0;
  const second = bytes[i + 1]!;
  if ((second & 0xc0) !== 0x80) return 0;
  if (lead < 0xe0) return lead === 0xc2 && second < 0xa0 ? 0 : 2; // U+0080-009F
  if (i + 2 >= end || (bytes[i + 2]! & 0xc0) !== 0x80) return 0;
  const unit = ((lead & 0x0f) << 12) | ((second & 0x3f) << 6) | (bytes[i + 2]! & 0x3f);
  if (unit < 0x800) return 0; // overlong
  return (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0 ? 0 : 3;
}

/** Whether the component that begins with the dot at `i` is exactly "." or "..". */
function isDotComponent(bytes: Uint8Array, i: number, end: number): boolean {
  let next = i + 1;
  if (next < end && bytes[next] === DOT) next++;
  return next === end || bytes[next] === SLASH;
}

/** The only test that create and delete make before they look at the tree. */
export function hasSlashAndNoNul(bytes: Uint8Array, start: number, length: number): boolean {
  let slash = false;
  for (let i = start; i < start + length; i++) {
    const byte = bytes[i]!;
    if (byte === 0) return false;
    if (byte === SLASH) slash = true;
  }
  return slash;
}

export function hasNul(bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = start; i < start + length; i++) if (bytes[i] === 0) return true;
  return false;
}

/** Length of the parent's path: what stands before the last slash, 0 (the root) for "/a"; -1 without a slash. */
export function parentLength(bytes: Uint8Array, start: number, length: number): number {
  let i = length - 1;
  while (i >= 0 && bytes[start + i] !== SLASH) i--;
  return i;
}

/** The four znodes that always exist and cannot be deleted; the root in either form. */
export function isReserved(bytes: Uint8Array, start: number, length: number): boolean {
  switch (length) {
    case 0:
      return true;
    case 1:
      return bytes[start] === SLASH;
    case ZOOKEEPER.length:
      return equalBytes(bytes, start, ZOOKEEPER, 0, length);
    case QUOTA.length:
      return equalBytes(bytes, start, QUOTA, 0, length);
    case CONFIG.length:
      return equalBytes(bytes, start, CONFIG, 0, length);
    default:
      return false;
  }
}

/**
 * Writes a sequence number as decimal digits, zero-padded to ten characters with the sign counted in:
 * 7 is 0000000007, -1 is -000000001. Returns the bytes written, 10 or 11.
 */
export function writeSequenceSuffix(counter: number, out: Uint8Array, offset: number): number {
  let magnitude = Math.abs(counter);
  let width = SEQUENCE_SUFFIX_WIDTH;
  if (counter < 0 && magnitude >= 1_000_000_000) width = SEQUENCE_SUFFIX_BYTES_MAX;
  for (let i = offset + width - 1; i >= offset; i--) {
    const rest = Math.floor(magnitude / 10);
    out[i] = 0x30 + (magnitude - rest * 10);
    magnitude = rest;
  }
  if (counter < 0) out[offset] = 0x2d;
  return width;
}

/** Byte equality of `a[aStart, +length)` and `b[bStart, +length)`. Paths are short and mostly equal when asked. */
export function equalBytes(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/** A path of either form as people read it (client form); for log lines and four-letter words. */
export function pathText(bytes: Uint8Array, start: number, length: number): string {
  return length === 0 ? '/' : decodeUtf8(bytes, start, start + length);
}

/** The bytes of a constant made of ASCII characters. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
