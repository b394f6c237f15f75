/**
 * One configuration out of several layers: what comes with the program, what is in the tree, what this machine insists on.
 * Objects are merged key by key; anything else is replaced as a whole. Pure.
 */

/** JSON: what is stored. */
export type Document = Readonly<Record<string, unknown>>;

export function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The last layer that names a key wins. A key that is `undefined` names nothing. */
export function merge(layers: readonly Document[]): Document {
  const result: Record<string, unknown> = {};
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      if (value === undefined) continue;
      const before = Object.hasOwn(result, key) ? result[key] : undefined;
      const merged = isDocument(before) && isDocument(value) ? merge([before, value]) : value;
      // Also for a key that is called __proto__.
      Object.defineProperty(result, key, {
        value: merged,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
  return result;
}

/** @throws TypeError for bytes that are no JSON object. */
export function parseDocument(bytes: Uint8Array | null): Document {
  const value: unknown = JSON.parse(
    new TextDecoder('utf-8', { fatal: true }).decode(bytes ?? new Uint8Array()),
  );
  if (!isDocument(value)) throw new TypeError('a configuration is a JSON object');
  return value;
}
