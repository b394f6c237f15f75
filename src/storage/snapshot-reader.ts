/**
 * Finds and loads the newest snapshot that is whole. Recovery thread; read-only, streaming, bounded memory.
 *
 * Candidates are the newest 100 files that pass a cheap look at their ends; each is tried in full (header, body,
 * every seal) until one loads. A broken one is reported and abandoned: the sink hears `onBegin` again and must
 * forget everything. The sink may refuse a snapshot itself (a node without parent) by throwing CorruptionFailure.
 */
import { CorruptionFailure, type Failure, StorageFailure } from '../base/failure.ts';
import type { Zxid } from '../base/zxid.ts';
import { type ByteSource, ByteWindow, FileSource } from './byte-window.ts';
import { listSnapshots, SnapshotCompression, type SnapshotFile } from './data-files.ts';
import type { Disk, DiskFile } from './disk.ts';
import { GunzipSource, GZIP_MAGIC } from './gzip.ts';
import { SNAPPY_MAGIC, SnappySource } from './snappy.ts';
import { END_STRING_BYTES, isEndString } from './snapshot-format.ts';
import { type SnapshotContentSink, SnapshotParser } from './snapshot-parser.ts';

const CHUNK_BYTES = 256 * 1024;
const CANDIDATES_MAX = 100;
/** Shortest plain file that Apache considers. */
const PLAIN_BYTES_MIN = 10;

export interface SnapshotSink extends SnapshotContentSink {
  /** Comes again when a broken snapshot is abandoned: forget everything. */
  onBegin(zxid: Zxid): void;
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

/** What the file holds, as its name says uncompressed. */
export function contentsOf(file: DiskFile, compression: SnapshotCompression): ByteSource {
  const source = new FileSource(file);
  if (compression === SnapshotCompression.gz) return new GunzipSource(source, file.path);
  return compression === SnapshotCompression.snappy ? new SnappySource(source, file.path) : source;
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
    sink.onBegin(zxid);
    const window = new ByteWindow(contentsOf(file, compression), CHUNK_BYTES);
    const parser = new SnapshotParser(window, file.path, 'file', sink, options.dataBytesMax);
    if (!parser.advance()) parser.end();
  } finally {
    file.close();
  }
}
