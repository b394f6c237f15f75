/**
 * Memory for direct writes, which the kernel takes only from block-aligned addresses. JavaScript has no way to ask for
 * one, but the buffer of a WebAssembly memory is mapped in pages of its own.
 */

/** Covers the blocks of every common device; a multiple of all smaller ones. */
export const DIRECT_BLOCK_BYTES = 4096;

const WASM_PAGE_BYTES = 65536;

// The types of this layer know no WebAssembly.
const { Memory } = (
  globalThis as unknown as {
    readonly WebAssembly: {
      readonly Memory: new (pages: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
    };
  }
).WebAssembly;

/** Zeros; the first one lies at a page boundary. */
export function alignedBytes(length: number): Uint8Array<ArrayBuffer> {
  const memory = new Memory({ initial: Math.ceil(length / WASM_PAGE_BYTES) });
  return new Uint8Array(memory.buffer, 0, length);
}

export function roundUp(length: number, blockBytes: number): number {
  return Math.ceil(length / blockBytes) * blockBytes;
}
