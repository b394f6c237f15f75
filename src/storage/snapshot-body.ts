/**
 * A snapshot file as a learner is sent it (SNAP): what stands between its header and its seals, in pieces, and behind the last one the
 * signature. What is read is parsed along the way, so the signature is given out only behind a file whose seals are right. Blocks for
 * one piece at a time; the file may be removed meanwhile.
 *
 *     file     header | sessions | acls | nodes "/" | seal | digest | seal
 *     pieces            ────── ───── ───── ─────── ─▶                      then "BenWasHere"
 */
import { CorruptionFailure } from '../base/failure.ts';
import { type ByteSource, ByteWindow, ChunkSource } from './byte-window.ts';
import type { SnapshotFile } from './data-files.ts';
import type { Disk, DiskFile } from './disk.ts';
import { SNAPSHOT_HEADER_BYTES } from './snapshot-format.ts';
import { SIGNATURE, SnapshotParser } from './snapshot-parser.ts';
import { contentsOf } from './snapshot-reader.ts';

const WINDOW_BYTES = 256 * 1024;
const NOTHING = { onSession() {}, onAcl() {}, onNode() {}, onDigest() {} };

export class SnapshotBody {
  private readonly file: DiskFile;
  private readonly source: ByteSource;
  private readonly chunks = new ChunkSource();
  private readonly parser: SnapshotParser;
  /** Of the file's contents, read so far. */
  private position = 0;
  private isSigned = false;

  /** @throws StorageFailure */
  constructor(disk: Disk, directory: string, { name, compression }: SnapshotFile) {
    this.file = disk.open(`${directory}/${name}`, 'read');
    this.source = contentsOf(this.file, compression);
    const window = new ByteWindow(this.chunks, WINDOW_BYTES);
    this.parser = new SnapshotParser(window, this.file.path, 'file', NOTHING);
  }

  /**
   * Reads into `bytes[at, end)` and returns the offset behind what belongs to the body, which may be `at`; -1 behind the last piece.
   * There is room for the signature. @throws CorruptionFailure, StorageFailure
   */
  read(bytes: Uint8Array, at: number, end: number): number {
    if (this.isSigned) return -1;
    const { parser } = this;
    const count = this.source.read(bytes, at, end - at);
    if (count === 0) {
      parser.end();
      if (parser.bodyEnd < 0) throw new CorruptionFailure(`${this.file.path} is corrupt: it ends too early`);
      this.isSigned = true;
      return sign(bytes, at);
    }
    const start = this.position;
    this.position += count;
    // Copied by the parser, which takes all that is there.
    this.chunks.push(bytes.subarray(at, at + count));
    const wasEnd = parser.bodyEnd;
    parser.advance();
    if (wasEnd >= 0) return at;
    // The header stays here, and so do the seals.
    const skipped = Math.max(0, Math.min(count, SNAPSHOT_HEADER_BYTES - start));
    if (skipped > 0) bytes.copyWithin(at, at + skipped, at + count);
    const bodyEnd = parser.bodyEnd < 0 ? this.position : parser.bodyEnd;
    return at + Math.max(0, bodyEnd - start - skipped);
  }

  close(): void {
    this.file.close();
  }
}

function sign(bytes: Uint8Array, at: number): number {
  new DataView(bytes.buffer, bytes.byteOffset).setInt32(at, SIGNATURE.length);
  for (let i = 0; i < SIGNATURE.length; i++) bytes[at + 4 + i] = SIGNATURE.charCodeAt(i);
  return at + 4 + SIGNATURE.length;
}
