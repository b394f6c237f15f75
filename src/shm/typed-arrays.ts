/** Private tables that grow with what they describe; at least doubled, so that growing is amortised. */

type Table = Int32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** `table` itself when it is long enough, else a longer copy with zeros behind. */
export function grown<T extends Table>(table: T, length: number): T {
  if (length <= table.length) return table;
  const make = table.constructor as new (length: number) => T;
  const copy = new make(Math.max(length, table.length * 2));
  copy.set(table);
  return copy;
}
