/**
 * Gives the memory of an array back at once; the array is empty afterwards. A thread that makes a few large arrays and
 * hardly any small garbage would otherwise keep them all until its collector runs, which may be never.
 */
export function releaseMemory(array: Int32Array | Uint8Array): void {
  (array.buffer as ArrayBuffer).transfer(0);
}
