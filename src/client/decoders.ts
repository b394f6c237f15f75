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

/** Data and Stat in one copy. */
export function decodeNodeData(bytes: Uint8Array, view: DataView, start: number, end: number): NodeData {
  if (end - start < 4 + STAT_BYTES) throw new MalformedRecord(`a getData reply of ${end - start} bytes`);
  const length = view.getInt32(start);
  const dataBytes = Math.max(0, length);
  if (end - start < 4 + dataBytes + STAT_BYTES)
    throw new MalformedRecord(`a getData reply of ${end - start} bytes`);
  // Not `bytes.slice`: of a Buffer that would be a view.
  const copy = Uint8Array.prototype.slice.call(bytes, start + 4, end);
  return { data: length < 0 ? null : copy.subarray(0, dataBytes), stat: new StatView(copy, dataBytes) };
}

export function decodeStat(bytes: Uint8Array, _view: DataView, start: number, end: number): Stat {
  if (end - start < STAT_BYTES) throw new MalformedRecord(`a Stat of ${end - start} bytes`);
  return new StatView(Uint8Array.prototype.slice.call(bytes, start, start + STAT_BYTES));
}

export const decodeChildren = decoderOf(
  OpCode.getChildren2,
  ({ children, stat }): Children => ({ names: children, stat }),
);
