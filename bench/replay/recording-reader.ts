/**
 * Reads a recording as a stream: a piece of the file at a time, however long the file is. `next` never waits, so that
 * a replay can ask for records inside its hot loop; `fill` does.
 *
 *     header ok --next--> record, record, null --fill--> record, ... null --fill = false--> `ending` says how it ended
 */
import { type FileHandle, open } from 'node:fs/promises';
import { ConfigFailure, Failure } from '../../src/base/failure.ts';
import { type Decoded, decodeRecord } from './record-codec.ts';
import {
  damagedHeader,
  decodeHeader,
  type RecordingHeader,
  type RecordingRecord,
} from './recording-format.ts';

const READ_BYTES = 256 * 1024;

export interface RecordingEnding {
  /** `cut`: the recorder did not finish the file. `damaged`: the bytes are not what it wrote. */
  readonly kind: 'whole' | 'cut' | 'damaged';
  /** Whole records before the end, the end record not counted. */
  readonly records: number;
  /** Where the good part ends. */
  readonly atByte: number;
  /** One sentence for people. */
  readonly text: string;
}

/** Before anything is started for it. @throws ConfigFailure as `RecordingReader.open` */
export async function checkRecording(file: string): Promise<void> {
  await (await RecordingReader.open(file)).close();
}

export class RecordingReader {
  readonly header: RecordingHeader;
  readonly fileBytes: number;
  private readonly handle: FileHandle;
  private buffer: Buffer;
  private view: DataView;
  private position = 0;
  /** Where `buffer` starts in the file. */
  private bufferAt: number;
  private count = 0;
  private lastUs = 0;
  private ended: RecordingEnding | null = null;

  private constructor(
    handle: FileHandle,
    fileBytes: number,
    header: RecordingHeader,
    rest: Buffer,
    restAt: number,
  ) {
    this.handle = handle;
    this.fileBytes = fileBytes;
    this.header = header;
    this.buffer = rest;
    this.view = viewOf(rest);
    this.bufferAt = restAt;
  }

  /** @throws ConfigFailure when `file` cannot be read, is no recording, or is one of another version. */
  static async open(file: string): Promise<RecordingReader> {
    let handle: FileHandle;
    try {
      handle = await open(file, 'r');
    } catch (error) {
      throw unreadable(file, error);
    }
    try {
      let bytes: Buffer = Buffer.alloc(0);
      for (;;) {
        const decoded = decodeHeader(bytes, file);
        if (decoded !== null) {
          const { size } = await handle.stat();
          return new RecordingReader(handle, size, decoded.header, bytes.subarray(decoded.end), decoded.end);
        }
        const more = await readMore(handle, bytes, bytes.length);
        if (more === null) throw damagedHeader(file);
        bytes = more;
      }
    } catch (error) {
      await handle.close();
      if (!(error instanceof Failure)) throw unreadable(file, error);
      throw error;
    }
  }

  /** The next record; null when `fill` must be called first, or at the end. */
  next(): RecordingRecord | null {
    if (this.ended !== null) return null;
    const decoded = decodeRecord(this.buffer, this.view, this.position);
    if (decoded.state === 'partial') return null;
    const why = decoded.state === 'damaged' ? decoded.why : this.contradiction(decoded.record);
    if (decoded.state === 'damaged' || why !== null) {
      this.end('damaged', `the recording is damaged at byte ${this.byte} (${why})`);
      return null;
    }
    return this.take(decoded);
  }

  /** Reads on. False at the end of the recording; `ending` is set then. */
  async fill(): Promise<boolean> {
    if (this.ended !== null) return false;
    const rest = this.buffer.subarray(this.position);
    const more = await readMore(this.handle, rest, this.bufferAt + this.buffer.length);
    if (more === null) {
      const where = rest.length > 0 ? `inside a record, at byte ${this.byte}` : 'before its end record';
      this.end('cut', `the recording ends ${where}: the recorder was killed or its disk was full`);
      return false;
    }
    this.bufferAt += this.position;
    this.position = 0;
    this.buffer = more;
    this.view = viewOf(more);
    return true;
  }

  /** How the recording ended; null before its end was reached. */
  get ending(): RecordingEnding | null {
    return this.ended;
  }

  /** Share of the file that was taken. */
  get progress(): number {
    return this.fileBytes === 0 ? 1 : Math.min(1, this.byte / this.fileBytes);
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private get byte(): number {
    return this.bufferAt + this.position;
  }

  private take({ record, end }: Extract<Decoded, { state: 'record' }>): RecordingRecord | null {
    this.position = end;
    if (record.kind === 'end') {
      this.end('whole', `the recording is whole: ${this.count} records`);
      return null;
    }
    this.count++;
    this.lastUs = record.timeUs;
    return record;
  }

  /** What a recorder never writes. */
  private contradiction(record: RecordingRecord): string | null {
    if (record.timeUs < this.lastUs || !Number.isSafeInteger(record.timeUs)) return 'a time that goes back';
    if (record.kind === 'end' && record.records !== this.count) return `${record.records} records expected`;
    return null;
  }

  private end(kind: RecordingEnding['kind'], text: string): void {
    this.ended = { kind, records: this.count, atByte: this.byte, text };
  }
}

/** `rest` and what follows it in the file; null at the end. A new buffer: slices of the old one may be in use. */
async function readMore(handle: FileHandle, rest: Buffer, fileOffset: number): Promise<Buffer | null> {
  // Doubling, so that a record of many pieces is copied twice on average.
  const room = Math.max(READ_BYTES, rest.length);
  const bytes = Buffer.allocUnsafeSlow(rest.length + room);
  const { bytesRead } = await handle.read(bytes, rest.length, room, fileOffset);
  if (bytesRead === 0) return null;
  bytes.set(rest);
  return bytes.subarray(0, rest.length + bytesRead);
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A directory opens like a file and fails at the first read. */
function unreadable(file: string, error: unknown): ConfigFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === 'EISDIR' ? 'it is a directory' : message;
  return new ConfigFailure(`${file}: cannot be read: ${reason} - allowed: a file made by bench record`);
}
