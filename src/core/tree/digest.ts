/**
 * The tree digest of Apache's data files (disk.md §5): the sum over all nodes of a CRC-32 each, modulo 2^64.
 * Kept as two uint32 halves: bigint would cost a heap object per change, a field of more than 31 bits a box (base/zxid.ts).
 */
import { crc32 } from '../../base/checksum.ts';
import { StatOffset } from '../../wire/stat.ts';
import type { ZnodeCursor } from './record.ts';

export class DigestSum {
  private readonly halves = new Uint32Array(2);

  get high(): number {
    return this.halves[0]!;
  }

  get low(): number {
    return this.halves[1]!;
  }

  add(nodeDigest: number): void {
    const low = this.halves[1]! + nodeDigest;
    this.halves[1] = low;
    if (low > 0xffffffff) this.halves[0]!++;
  }

  subtract(nodeDigest: number): void {
    const low = this.halves[1]! - nodeDigest;
    this.halves[1] = low;
    if (low < 0) this.halves[0]!--;
  }

  set(high: number, low: number): void {
    this.halves[0] = high;
    this.halves[1] = low;
  }

  /** The same sum as another's. */
  copy(other: DigestSum): void {
    this.halves.set(other.halves);
  }

  /** `[high, low]`, as it is now. */
  slice(): Uint32Array {
    return this.halves.slice();
  }
}

/** `/zookeeper/`: what lies below is local to a server and not part of the digest. */
const EXCLUDED = [47, 122, 111, 111, 107, 101, 101, 112, 101, 114, 47];

// czxid mzxid pzxid ctime mtime (int64 each), version cversion aversion (int32 each), ephemeralOwner (int64)
const FIELDS_BYTES = 60;
const fields = new Uint8Array(FIELDS_BYTES);
const fieldsView = new DataView(fields.buffer);

/** The digest of the record under the cursor; its nodeDigest field is not read. */
export function nodeDigest(node: ZnodeCursor): number {
  const pathStart = node.pathStart;
  const pathLength = node.pathLength;
  if (isExcluded(node.bytes, pathStart, pathLength)) return 0;
  const stat = node.statStart;
  const view = node.view;
  // Stat has czxid mzxid ctime mtime version; the digest wants pzxid between mzxid and ctime.
  for (let i = 0; i < 4; i++) fieldsView.setInt32(i * 4, view.getInt32(stat + StatOffset.czxid + i * 4));
  fieldsView.setInt32(16, view.getInt32(stat + StatOffset.pzxid));
  fieldsView.setInt32(20, view.getInt32(stat + StatOffset.pzxid + 4));
  for (let i = 0; i < 5; i++) fieldsView.setInt32(24 + i * 4, view.getInt32(stat + StatOffset.ctime + i * 4));
  fieldsView.setInt32(44, node.cversion);
  fieldsView.setInt32(48, view.getInt32(stat + StatOffset.aversion));
  fieldsView.setInt32(52, node.ownerHigh);
  fieldsView.setInt32(56, node.ownerLow);
  let crc = crc32(node.bytes, pathStart, pathStart + pathLength);
  const dataStart = node.dataStart;
  crc = crc32(node.bytes, dataStart, dataStart + node.dataBytes, crc);
  return crc32(fields, 0, FIELDS_BYTES, crc);
}

function isExcluded(bytes: Uint8Array, start: number, length: number): boolean {
  if (length < EXCLUDED.length) return false;
  for (let i = 0; i < EXCLUDED.length; i++) {
    if (bytes[start + i] !== EXCLUDED[i]) return false;
  }
  return true;
}
