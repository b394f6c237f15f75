/**
 * Finds and loads the newest snapshot that is whole. Recovery thread; read-only, streaming, bounded memory.
 *
 * Candidates are the newest 100 files that pass a cheap look at their ends; each is tried in full (header, body,
 * every seal) until one loads. A broken one is reported and abandoned: the sink hears `onBegin` again and must
 * forget everything. The sink may refuse a snapshot itself (a node without parent) by throwing CorruptionFailure.
 */
import { adler32 } from '../base/checksum.ts';
import { CorruptionFailure, type Failure, StorageFailure } from '../base/failure.ts';
import { readInt64 } from '../base/int64.ts';
import type { Zxid } from '../base/zxid.ts';
import { type ByteSource, ByteWindow, FileSource } from './byte-window.ts';
import { listSnapshots, SnapshotCompression, type SnapshotFile } from './data-files.ts';
import type { Disk } from './disk.ts';
import { GunzipSource, GZIP_MAGIC } from './gzip.ts';
import { SNAPPY_MAGIC, SnappySource } from './snappy.ts';
import {
  DIGEST_SECTION_BYTES,
  DIGEST_VERSION,
  END_STRING_BYTES,
  isEndString,
  NODE_TAIL_BYTES,
  SEAL_BYTES,
  SNAPSHOT_HEADER_BYTES,
  SNAPSHOT_MAGIC,
} from './snapshot-format.ts';

const CHUNK_BYTES = 256 * 1024;
const CANDIDATES_MAX = 100;
/** Shortest plain file that Apache considers. */
const PLAIN_BYTES_MIN = 10;
/** Sanity bounds, checked before memory is spent. */
const PATH_BYTES_MAX = 16 * 1024 * 1024;
const DATA_BYTES_MAX_DEFAULT = 64 * 1024 * 1024;
const ACL_BYTES_MAX = 16 * 1024 * 1024;

export interface SnapshotSink {
  /** Comes again when a broken snapshot is abandoned: forget everything. */
  onBegin(zxid: Zxid): void;
  onSession(idHigh: number, idLow: number, timeoutMs: number): void;
  /** `bytes[start, end)` is the vector<ACL> with its count. All ranges are valid during the call only. */
  onAcl(aclId: number, bytes: Uint8Array, view: DataView, start: number, end: number): void;
  /** `dataLength` -1 = null; StatPersisted lies at `statStart`. Parents come before children, the root is "". */
  onNode(
    bytes: Uint8Array,
    view: DataView,
    pathStart: number,
    pathLength: number,
    dataStart: number,
    dataLength: number,
    aclId: number,
    statStart: number,
  ): void;
  onDigest(zxid: Zxid, version: number, high: number, low: number): void;
}

export interface SnapshotReadOptions {
  readonly onWarning: (message: string) => void;
  readonly dataBytesMax?: number;
}

/**
 * Null when no file looks like a snapshot.
 * @throws CorruptionFailure when some do and none loads.
 */
export function loadNewestSnapshot(
  disk: Disk,
  directory: string,
  sink: SnapshotSink,
  options: SnapshotReadOptions,
): SnapshotFile | null {
  let tried = 0;
  let lastError: Failure | null = null;
  for (const file of listSnapshots(disk, directory).reverse()) {
    if (tried === CANDIDATES_MAX) break;
    if (!looksWhole(disk, directory, file)) continue;
    tried++;
    try {
      readSnapshot(disk, directory, file, sink, options);
      return file;
    } catch (error) {
      if (!(error instanceof CorruptionFailure || error instanceof StorageFailure)) throw error;
      lastError = error;
      options.onWarning(`${error.message}; trying the snapshot before it`);
    }
  }
  if (lastError === null) return null;
  throw new CorruptionFailure(
    `none of ${tried} snapshots in ${directory} can be loaded, the last because: ${lastError.message}; ` +
      'restore the data directory from a backup',
  );
}

/** The cheap look: right beginning or right end, by the compression that the name tells. */
export function looksWhole(disk: Disk, directory: string, { name, compression }: SnapshotFile): boolean {
  const file = disk.open(`${directory}/${name}`, 'read');
  try {
    if (compression === SnapshotCompression.gz) return startsWith(file, GZIP_MAGIC);
    if (compression === SnapshotCompression.snappy) return startsWith(file, SNAPPY_MAGIC);
    const fileBytes = file.size();
    if (fileBytes < PLAIN_BYTES_MIN) return false;
    const end = new Uint8Array(END_STRING_BYTES);
    const count = file.read(end, 0, END_STRING_BYTES, fileBytes - END_STRING_BYTES);
    return count === END_STRING_BYTES && new DataView(end.buffer).getInt32(0) === 1 && isEndString(end, 4, 1);
  } finally {
    file.close();
  }
}

function startsWith(
  file: { read(into: Uint8Array, at: number, length: number, position: number): number },
  magic: Readonly<Uint8Array>,
): boolean {
  const start = new Uint8Array(magic.length);
  return file.read(start, 0, magic.length, 0) === magic.length && start.every((byte, i) => byte === magic[i]);
}

/** Reads one snapshot file in full. @throws CorruptionFailure naming file, offset and reason. */
export function readSnapshot(
  disk: Disk,
  directory: string,
  { name, zxid, compression }: SnapshotFile,
  sink: SnapshotSink,
  options: SnapshotReadOptions,
): void {
  const file = disk.open(`${directory}/${name}`, 'read');
  try {
    let source: ByteSource = new FileSource(file);
    if (compression === SnapshotCompression.gz) source = new GunzipSource(source, file.path);
    else if (compression === SnapshotCompression.snappy) source = new SnappySource(source, file.path);
    sink.onBegin(zxid);
    new SnapshotParser(source, file.path, sink, options.dataBytesMax ?? DATA_BYTES_MAX_DEFAULT).parse();
  } finally {
    file.close();
  }
}

class SnapshotParser {
  private readonly window: ByteWindow;
  private readonly path: string;
  private readonly sink: SnapshotSink;
  private readonly dataBytesMax: number;
  private checksum = 1;

  constructor(source: ByteSource, path: string, sink: SnapshotSink, dataBytesMax: number) {
    this.window = new ByteWindow(source, CHUNK_BYTES);
    this.path = path;
    this.sink = sink;
    this.dataBytesMax = dataBytesMax;
  }

  parse(): void {
    this.header();
    this.sessions();
    this.acls();
    while (this.node());
    this.seal();
    if (!this.window.ensure(1)) return;
    this.digestSection();
    this.seal();
    if (!this.window.ensure(1)) return;
    // lastProcessedZxid of 3.9: the file name already tells it.
    this.need(8);
    this.take(8);
    this.seal();
  }

  private header(): void {
    this.need(SNAPSHOT_HEADER_BYTES);
    if (this.window.view.getInt32(this.window.start) !== SNAPSHOT_MAGIC) {
      throw this.corrupt('the magic number is not "ZKSN"');
    }
    this.take(SNAPSHOT_HEADER_BYTES);
  }

  private sessions(): void {
    for (let left = this.count('session'); left > 0; left--) {
      this.need(12);
      const { view, start } = this.window;
      this.sink.onSession(view.getInt32(start), view.getInt32(start + 4), view.getInt32(start + 8));
      this.take(12);
    }
  }

  private acls(): void {
    for (let left = this.count('ACL'); left > 0; left--) {
      this.need(8);
      const aclId = this.aclId(this.window.start);
      const length = this.aclVectorBytes();
      const { bytes, view, start } = this.window;
      this.sink.onAcl(aclId, bytes, view, start + 8, start + 8 + length);
      this.take(8 + length);
    }
  }

  /** Bytes of the vector<ACL> behind the id at `start`; all of them are loaded afterwards. */
  private aclVectorBytes(): number {
    this.need(12);
    const count = this.window.view.getInt32(this.window.start + 8);
    let length = 4;
    for (let i = 0; i < count; i++) {
      length += 4;
      length += this.aclStringBytes(length);
      length += this.aclStringBytes(length);
      if (length > ACL_BYTES_MAX) throw this.corrupt('an ACL is unreasonably long');
    }
    return length;
  }

  private aclStringBytes(at: number): number {
    this.need(8 + at + 4);
    const length = Math.max(0, this.window.view.getInt32(this.window.start + 8 + at));
    if (length > ACL_BYTES_MAX) throw this.corrupt(`unreasonable length ${length} in an ACL`);
    this.need(8 + at + 4 + length);
    return 4 + length;
  }

  /** One node; false when the end of the nodes was read instead. */
  private node(): boolean {
    const window = this.window;
    this.need(4);
    const pathLength = window.view.getInt32(window.start);
    if (pathLength < 0 || pathLength > PATH_BYTES_MAX) throw this.corrupt(`path length ${pathLength}`);
    this.need(4 + pathLength);
    if (isEndString(window.bytes, window.start + 4, pathLength)) {
      this.take(END_STRING_BYTES);
      return false;
    }
    const dataOffset = 4 + pathLength + 4;
    this.need(dataOffset);
    const dataLength = window.view.getInt32(window.start + dataOffset - 4);
    if (dataLength < -1 || dataLength > this.dataBytesMax) throw this.corrupt(`data length ${dataLength}`);
    const tailOffset = dataOffset + Math.max(0, dataLength);
    this.need(tailOffset + NODE_TAIL_BYTES);
    const { bytes, view, start } = window;
    const tail = start + tailOffset;
    this.sink.onNode(
      bytes,
      view,
      start + 4,
      pathLength,
      start + dataOffset,
      dataLength,
      this.aclId(tail),
      tail + 8,
    );
    this.take(tailOffset + NODE_TAIL_BYTES);
    return true;
  }

  private digestSection(): void {
    this.need(16);
    const { view } = this.window;
    const zxid = readInt64(view, this.window.start);
    const version = this.window.view.getInt32(this.window.start + 8);
    if (version < DIGEST_VERSION) {
      const length = Math.max(0, this.window.view.getInt32(this.window.start + 12));
      if (length > PATH_BYTES_MAX) throw this.corrupt(`digest length ${length}`);
      this.need(16 + length);
      this.take(16 + length);
      return;
    }
    this.need(DIGEST_SECTION_BYTES);
    const { start } = this.window;
    this.sink.onDigest(
      zxid,
      version,
      this.window.view.getInt32(start + 12),
      this.window.view.getInt32(start + 16),
    );
    this.take(DIGEST_SECTION_BYTES);
  }

  private seal(): void {
    this.need(SEAL_BYTES);
    const { bytes, view, start } = this.window;
    if (view.getInt32(start) !== 0 || view.getUint32(start + 4) !== this.checksum) {
      throw this.corrupt('CRC check failed');
    }
    if (view.getInt32(start + 8) !== 1 || !isEndString(bytes, start + 12, 1)) {
      throw this.corrupt('a seal has no end mark');
    }
    this.take(SEAL_BYTES);
  }

  private count(what: string): number {
    this.need(4);
    const count = this.window.view.getInt32(this.window.start);
    if (count < 0) throw this.corrupt(`${what} count ${count}`);
    this.take(4);
    return count;
  }

  private aclId(at: number): number {
    const aclId = readInt64(this.window.view, at);
    if (!Number.isSafeInteger(aclId)) throw this.corrupt('an ACL id is out of range');
    return aclId;
  }

  private need(length: number): void {
    if (!this.window.ensure(length)) throw this.corrupt('the file ends too early');
  }

  /** Consumes and sums what has been read. */
  private take(length: number): void {
    const { bytes, start } = this.window;
    this.checksum = adler32(bytes, start, start + length, this.checksum);
    this.window.start = start + length;
  }

  private corrupt(reason: string): CorruptionFailure {
    const at = `offset ${this.window.offset} of its contents`;
    return new CorruptionFailure(`${this.path} is corrupt at ${at}: ${reason}`);
  }
}
