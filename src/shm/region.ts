/**
 * The shape of every small shared block: numbered 128-byte lines of control words, then plain data. A word that
 * one thread writes and another polls lives alone on its line, so that neither slows the other by false sharing.
 *
 *     byte 0        128       256             lines × 128
 *     | line 0      | line 1  | ... | line n-1 | data ...                  |
 *       word 0        word 32                    8-byte aligned, zero-filled
 *
 * Why 128 and not 64: x86 fetches cache lines in pairs, and Apple's cores have lines of 128 bytes.
 */
import { assert } from '../base/assert.ts';

export const LINE_BYTES = 128;
/** The control word of line `i` is at index `i * LINE_WORDS`. */
export const LINE_WORDS = LINE_BYTES / 4;

/** A zero-filled block of `lines` control lines and `dataBytes` bytes behind them. */
export function createRegion(lines: number, dataBytes: number): SharedArrayBuffer {
  assert(lines > 0 && dataBytes >= 0, 'a region needs at least one line');
  return new SharedArrayBuffer(lines * LINE_BYTES + dataBytes);
}

/** The control words of a region's first `lines` lines. */
export function controlWords(buffer: SharedArrayBuffer, lines: number): Int32Array {
  return new Int32Array(buffer, 0, lines * LINE_WORDS);
}
