/**
 * A znode's bytes for people and for JSON. Text is shown as text if it is UTF-8 without control characters, which could
 * drive a terminal; other bytes as a hex dump. JSON says how it wrote them: `utf8` or `base64`. Pure.
 */
import { usageError } from './failure.ts';
import type { Json } from './output.ts';

export const DATA_FORMATS = ['auto', 'utf8', 'hex', 'base64', 'json'] as const;
export type DataFormat = (typeof DATA_FORMATS)[number];

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** All but tab, newline and carriage return. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
const DUMP_ROW_BYTES = 16;

/** The bytes as text, or null when they are none. */
export function textOf(data: Uint8Array): string | null {
  try {
    return decoder.decode(data);
  } catch {
    return null;
  }
}

export function dataText(data: Uint8Array | null, format: DataFormat): string {
  if (data === null) return format === 'json' || format === 'auto' ? 'null' : '';
  switch (format) {
    case 'hex':
      return Buffer.from(data).toString('hex');
    case 'base64':
      return Buffer.from(data).toString('base64');
    case 'utf8':
      return new TextDecoder().decode(data);
    case 'json':
      return prettyJson(data);
    case 'auto': {
      const text = textOf(data);
      return text === null || CONTROL.test(text) ? hexDump(data) : text;
    }
  }
}

/** `{ data, encoding }`, to be spread into a result. */
export function dataJson(data: Uint8Array | null): { readonly data: Json; readonly encoding?: Json } {
  if (data === null) return { data: null };
  const text = textOf(data);
  return text === null
    ? { data: Buffer.from(data).toString('base64'), encoding: 'base64' }
    : { data: text, encoding: 'utf8' };
}

/** One line at most, for lists and comparisons. */
export function dataExcerpt(data: Uint8Array | null, lengthMax: number): string {
  if (data === null) return 'null';
  const text = textOf(data.subarray(0, lengthMax * 4)) ?? textOf(data);
  if (text === null || CONTROL.test(text)) return `${data.length} bytes`;
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= lengthMax ? JSON.stringify(line) : `${JSON.stringify(line.slice(0, lengthMax))}…`;
}

/** @throws ShellError when `text` is not what it is said to be. */
export function parseData(text: string, encoding: 'utf8' | 'hex' | 'base64'): Uint8Array {
  if (encoding === 'hex') {
    if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw usageError(`"${text}" is no hex: two digits a byte`);
    return new Uint8Array(Buffer.from(text, 'hex'));
  }
  if (encoding === 'base64') {
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0)
      throw usageError(`"${text}" is no base64`);
    return new Uint8Array(Buffer.from(text, 'base64'));
  }
  return new TextEncoder().encode(text);
}

function prettyJson(data: Uint8Array): string {
  const text = textOf(data);
  try {
    return JSON.stringify(JSON.parse(text ?? ''), null, 2);
  } catch {
    throw usageError('the data is no JSON; --as auto shows it');
  }
}

/** `00000000  68 65 6c 6c 6f …  hello` */
function hexDump(data: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < data.length; at += DUMP_ROW_BYTES) {
    const row = [...data.subarray(at, at + DUMP_ROW_BYTES)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = row
      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'))
      .join('');
    rows.push(`${at.toString(16).padStart(8, '0')}  ${digits.padEnd(DUMP_ROW_BYTES * 3 - 1)}  ${letters}`);
  }
  return rows.join('\n');
}
