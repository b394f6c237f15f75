/** The part of `snappyjs` used here; the package ships no types. */
declare module 'snappyjs' {
  /** One raw Snappy block. */
  export function compress(uncompressed: Uint8Array): Uint8Array;
}
