/**
 * Replies to results, where the plain way (a value record by field) would cost too much or needs another shape.
 */
import { ErrorCode } from '../wire/error-codes.ts';
import { MalformedRecord } from '../wire/jute-reader.ts';
import { OpCode } from '../wire/opcodes.ts';
import { STAT_BYTES, type Stat } from '../wire/stat.ts';
import type { NodeData } from './operations.ts';
import { decoderOf } from './promise-call.ts';
import { StatView } from './stat-view.ts';
import type { Children } from './zk-options.ts';

export const nullIfMissing = (err: number): null | undefined => (err === ErrorCode.noNode ? null : undefined);

/**
 * Small replies are copied behind one another into a slab, as Node does with small buffers: memory of its own for each would
 * cost half of what a read costs. Whoever keeps one of them keeps its slab.
 */
const SLAB_BYTES = 8 * 1024;
const SLAB_PART_BYTES_MAX = 1024;
let slab = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;

/** Copies `bytes[from, end)` to the place in `slab` that it returns. */
function toSlab(bytes: Uint8Array, from: number, end: number): number {
  const size = end - from;
  if (slabUsed + size > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed += size;
  slab.set(bytes.subarray(from, end), at);
  return at;
}

/** Data and Stat in one copy. */
export function decodeNodeData(bytes: Uint8Array, view: DataView, start: number, end: number): NodeData {
  const length = dataLength(view, start, end);
  const from = start + 4;
  const size = end - from;
  if (size > SLAB_PART_BYTES_MAX) return ownNodeData(bytes, from, end, length);
  const at = toSlab(bytes, from, end);
  const dataEnd = at + Math.max(0, length);
  return { data: length < 0 ? null : slab.subarray(at, dataEnd), stat: new StatView(slab, dataEnd) };
}

/** As `decodeNodeData`, in memory of its own: for who keeps it long. */
export function decodeKeptNodeData(bytes: Uint8Array, view: DataView, start: number, end: number): NodeData {
  return ownNodeData(bytes, start + 4, end, dataLength(view, start, end));
}

function ownNodeData(bytes: Uint8Array, from: number, end: number, length: number): NodeData {
  // Not `bytes.slice`: of a Buffer that would be a view.
  const copy = Uint8Array.prototype.slice.call(bytes, from, end);
  const dataEnd = Math.max(0, length);
  return { data: length < 0 ? null : copy.subarray(0, dataEnd), stat: new StatView(copy, dataEnd) };
}

/** -1 = none. @throws MalformedRecord when data and Stat do not fit. */
function dataLength(view: DataView, start: number, end: number): number {
  if (end - start < 4 + STAT_BYTES) throw new MalformedRecord(`a getData reply of ${end - start} bytes`);
  const length = view.getInt32(start);
  if (end - start < 4 + Math.max(0, length) + STAT_BYTES)
    throw new MalformedRecord(`a getData reply of ${end - start} bytes`);
  return length;
}

export function decodeStat(bytes: Uint8Array, _view: DataView, start: number, end: number): Stat {
  if (end - start < STAT_BYTES) throw new MalformedRecord(`a Stat of ${end - start} bytes`);
  const at = toSlab(bytes, start, start + STAT_BYTES);
  return new StatView(slab, at);
}

export const decodeChildren = decoderOf(
  OpCode.getChildren2,
  ({ children, stat }): Children => ({ names: children, stat }),
);
