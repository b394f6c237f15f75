/**
 * UTF-8 to and from JavaScript strings, in plain language: the core has no TextDecoder (no host types).
 * For what is rare or meant for people (ACL ids, log lines, quota texts); the data plane keeps bytes.
 * Decoding never fails: each maximal malformed piece becomes U+FFFD, as TextDecoder and Java do.
 */

const REPLACEMENT = 0xfffd;

/** The text of `bytes[start, end)`. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; ) {
    const lead = bytes[i++]!;
    if (lead < 0x80) {
      text += String.fromCharCode(lead);
      continue;
    }
    const extra = continuationCount(lead);
    let code = extra === 0 ? REPLACEMENT : lead & (0x3f >> extra);
    for (let k = 0; k < extra; k++) {
      if (i >= end || !isContinuation(lead, bytes[i]!, k)) {
        code = REPLACEMENT;
        break;
      }
      code = (code << 6) | (bytes[i++]! & 0x3f);
    }
    text += String.fromCodePoint(code);
  }
  return text;
}

/** The UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const out = new Uint8Array(utf8Length(text));
  writeUtf8(text, out, 0);
  return out;
}

/** How many bytes `writeUtf8` needs for `text`. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (code >= 0x10000) i++;
  }
  return length;
}

/** Writes the UTF-8 bytes of `text` at `offset`; returns the offset behind them. */
export function writeUtf8(text: string, out: Uint8Array, offset: number): number {
  for (let i = 0; i < text.length; i++) {
    let code = text.codePointAt(i)!;
    if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT;
    if (code < 0x80) {
      out[offset++] = code;
    } else if (code < 0x800) {
      out[offset++] = 0xc0 | (code >> 6);
      out[offset++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      out[offset++] = 0xe0 | (code >> 12);
      out[offset++] = 0x80 | ((code >> 6) & 0x3f);
      out[offset++] = 0x80 | (code & 0x3f);
    } else {
      out[offset++] = 0xf0 | (code >> 18);
      out[offset++] = 0x80 | ((code >> 12) & 0x3f);
      out[offset++] = 0x80 | ((code >> 6) & 0x3f);
      out[offset++] = 0x80 | (code & 0x3f);
      i++;
    }
  }
  return offset;
}

/** Continuation bytes that `lead` announces; 0 when it cannot begin a character of more than one byte. */
function continuationCount(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 1;
  if (lead >= 0xe0 && lead <= 0xef) return 2;
  return lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
}

/** Whether `byte` may follow as continuation `index`: the first one also rules out overlongs and surrogates. */
function isContinuation(lead: number, byte: number, index: number): boolean {
  if (index > 0) return (byte & 0xc0) === 0x80;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return byte >= low && byte <= high;
}
