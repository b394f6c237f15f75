/** Bytes for tests: hex literals in, hex out, and views. */

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/[^0-9a-f]/g, ''), 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The text of a flyweight's field; null for length -1. */
export function textOf(bytes: Uint8Array, start: number, length: number): string | null {
  return length === -1 ? null : Buffer.from(bytes).toString('utf8', start, start + length);
}

/** `bytes` in the middle of a larger array, so that a decoder that trusts offset 0 or the array's end is caught. */
export function embedded(bytes: Uint8Array): {
  bytes: Uint8Array;
  view: DataView;
  start: number;
  end: number;
} {
  const around = new Uint8Array(bytes.length + 48).fill(0xee);
  around.set(bytes, 21);
  return { bytes: around, view: viewOf(around), start: 21, end: 21 + bytes.length };
}
