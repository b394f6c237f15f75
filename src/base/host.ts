/**
 * The two functions that the pure layers take from the host, because it has them in native code and they are on
 * every request's way. They are plain functions of their arguments; where the host lacks one, our own code serves.
 * The pure layers see no host types, so what is taken is named here, and nowhere else.
 */

/** Copies `this[sourceStart, sourceEnd)` to `target` at `targetStart`; returns the bytes copied. */
type HostCopy = (
  this: Uint8Array,
  target: Uint8Array,
  targetStart: number,
  sourceStart: number,
  sourceEnd: number,
) => number;

type HostCrc32 = (bytes: Uint8Array, seed: number) => number;

interface Host {
  readonly Buffer?: { readonly prototype: { readonly copy: HostCopy } };
  readonly process?: { getBuiltinModule?(name: string): { readonly crc32?: HostCrc32 } | undefined };
}

const host = globalThis as unknown as Host;

/** A plain memory move between any two byte arrays, shared or not. */
export const hostCopy: HostCopy = host.Buffer?.prototype.copy ?? copyBySet;

/** CRC-32 continued from `seed`; null = the host has none. */
export const hostCrc32: HostCrc32 | null = host.process?.getBuiltinModule?.('node:zlib')?.crc32 ?? null;

function copyBySet(
  this: Uint8Array,
  target: Uint8Array,
  targetStart: number,
  sourceStart: number,
  sourceEnd: number,
): number {
  target.set(this.subarray(sourceStart, sourceEnd), targetStart);
  return sourceEnd - sourceStart;
}
