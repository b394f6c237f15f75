/** A disk for tests: takes a write only when it is told to. */
import { writeFileSync } from 'node:fs';
import type { RecordingSink } from '../../../bench/replay/recording-writer.ts';

export class GatedSink implements RecordingSink {
  closed = false;
  /** Resolves when the first write is asked for. */
  readonly firstWrite: Promise<void>;
  private readonly pieces: Buffer[] = [];
  private readonly onFirst: () => void;
  private isOpen = false;
  private pending: { readonly pass: () => void; readonly fail: (error: Error) => void } | null = null;

  constructor() {
    const first = Promise.withResolvers<void>();
    this.firstWrite = first.promise;
    this.onFirst = first.resolve;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }

  write(bytes: Uint8Array): Promise<void> {
    this.onFirst();
    const copy = Buffer.from(bytes);
    if (this.isOpen) {
      this.pieces.push(copy);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      this.pending = {
        pass: () => {
          this.pieces.push(copy);
          resolve();
        },
        fail: reject,
      };
    });
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** Resolves when the writer has heard of it. */
  async letOnePass(): Promise<void> {
    this.take().pass();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async failNext(error: Error): Promise<void> {
    this.take().fail(error);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** From now on, nothing waits. */
  open(): void {
    this.isOpen = true;
    this.pending?.pass();
    this.pending = null;
  }

  saveTo(file: string): void {
    writeFileSync(file, this.bytes);
  }

  private take(): NonNullable<GatedSink['pending']> {
    const { pending } = this;
    if (pending === null) throw new Error('nothing is being written');
    this.pending = null;
    return pending;
  }
}
