/**
 * Appends records to a file without making anybody wait: `append` encodes into memory, a write loop of its own takes
 * away what has gathered, so a busy recording is written in large pieces and an idle one at once.
 *
 *     append -> block being filled | full blocks | block being written -> sink
 *               `---------------- queuedBytes, bound ---------------'
 *
 * Above the bound `full` is true: the caller must stop its sources and go on when `onRoom` comes. What its sources
 * had in their hands is still taken, so the memory is the bound plus one read per source; nothing is ever dropped.
 * When the sink fails (disk full) the recording ends there: what is queued is given up, later records are counted
 * and not kept, and `onFailure` is called once.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { ConfigFailure } from '../../src/base/failure.ts';
import { encodeRecord, recordBytes } from './record-codec.ts';
import type { RecordingRecord } from './recording-format.ts';

/** Where the bytes go: a file, or something slower in tests. */
export interface RecordingSink {
  /** Resolves when the bytes are taken; they do not change until then. One call at a time. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface WriterEvents {
  /** There is room again after `full`. */
  onRoom(): void;
  /** Nothing more is recorded. */
  onFailure(error: Error): void;
}

const BLOCK_BYTES = 64 * 1024;

interface Block {
  readonly bytes: Buffer;
  readonly view: DataView;
  used: number;
}

export class RecordingWriter {
  private readonly sink: RecordingSink;
  private readonly queueBytesMax: number;
  private readonly events: WriterEvents;
  private blocks: Block[] = [];
  private queued = 0;
  private peak = 0;
  private taken = 0;
  private written = 0;
  private refused = 0;
  private waitingForRoom = false;
  private failedWith: Error | null = null;
  private loop: Promise<void> | null = null;

  constructor(sink: RecordingSink, queueBytesMax: number, events: WriterEvents) {
    this.sink = sink;
    this.queueBytesMax = queueBytesMax;
    this.events = events;
  }

  /** Bytes that the sink has not taken yet. */
  get queuedBytes(): number {
    return this.queued;
  }

  get queuedBytesPeak(): number {
    return this.peak;
  }

  get full(): boolean {
    return this.waitingForRoom;
  }

  /** Records that were accepted; in the file once the sink has them. */
  get records(): number {
    return this.taken;
  }

  /** Records that came after a failure. */
  get recordsRefused(): number {
    return this.refused;
  }

  get bytesWritten(): number {
    return this.written;
  }

  get failure(): Error | null {
    return this.failedWith;
  }

  append(record: RecordingRecord): void {
    if (this.failedWith !== null) {
      this.refused++;
      return;
    }
    const length = recordBytes(record);
    const block = this.blockFor(length);
    encodeRecord(record, block.bytes, block.view, block.used, length);
    block.used += length;
    this.taken++;
    this.onQueued(length);
  }

  /** Bytes that are no record: the header. */
  appendRaw(bytes: Uint8Array): void {
    const block = this.blockFor(bytes.length);
    block.bytes.set(bytes, block.used);
    block.used += bytes.length;
    this.onQueued(bytes.length);
  }

  /** Writes what is queued and closes the sink. A failure is in `failure`, not thrown. */
  async close(): Promise<void> {
    while (this.loop !== null) await this.loop;
    try {
      await this.sink.close();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private blockFor(length: number): Block {
    const last = this.blocks.at(-1);
    if (last !== undefined && last.bytes.length - last.used >= length) return last;
    const bytes = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, length));
    const block = { bytes, view: new DataView(bytes.buffer), used: 0 };
    this.blocks.push(block);
    return block;
  }

  private onQueued(length: number): void {
    this.queued += length;
    if (this.queued > this.peak) this.peak = this.queued;
    if (this.queued > this.queueBytesMax) this.waitingForRoom = true;
    // Not at once: the rest of the event loop's turn shares the write, and no client waits for the call.
    this.loop ??= new Promise((resolve) => setImmediate(() => void this.writeAll().then(resolve)));
  }

  private async writeAll(): Promise<void> {
    try {
      for (let block = this.blocks.shift(); block !== undefined; block = this.blocks.shift()) {
        await this.sink.write(block.bytes.subarray(0, block.used));
        this.queued -= block.used;
        this.written += block.used;
        if (this.queued <= this.queueBytesMax / 2) this.signalRoom();
      }
    } catch (error) {
      this.fail(error as Error);
    }
    this.loop = null;
  }

  private fail(error: Error): void {
    if (this.failedWith !== null) return;
    this.failedWith = error;
    this.blocks = [];
    this.queued = 0;
    this.signalRoom();
    this.events.onFailure(error);
  }

  private signalRoom(): void {
    if (!this.waitingForRoom) return;
    this.waitingForRoom = false;
    this.events.onRoom();
  }
}

/** A new file, readable by its owner only, since it holds what clients wrote. @throws ConfigFailure when it exists. */
export async function createFileSink(file: string): Promise<RecordingSink> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'wx', 0o600);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigFailure(
      code === 'EEXIST'
        ? `--out: ${file} exists - choose another name, or remove it`
        : `--out: ${file} cannot be created: ${message}`,
    );
  }
  return {
    write: async (bytes) => {
      for (let done = 0; done < bytes.length; ) {
        done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
      }
    },
    close: async () => {
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}
