/**
 * Work under way at the same time, bounded in number and in bytes: more is begun only when there is room. The first failure
 * is thrown by the next `start` or by `settled`, when nothing is under way any more and nothing is left unhandled.
 */

/** Enough to keep a server busy over a slow network. */
const WIDTH = 128;
const BYTES_MAX = 4 * 1024 * 1024;

export class InFlight {
  private readonly width: number;
  private readonly running = new Set<Promise<void>>();
  private bytes = 0;
  private failure: { readonly error: unknown } | null = null;

  constructor(width = WIDTH) {
    this.width = width;
  }

  /** Begins `work` when there is room; one piece of any size always fits. @throws what an earlier one threw. */
  async start(work: () => Promise<unknown>, bytes = 0): Promise<void> {
    const isFull = (): boolean =>
      this.running.size >= this.width || (this.running.size > 0 && this.bytes + bytes > BYTES_MAX);
    while (isFull() && this.failure === null) await Promise.race(this.running);
    await this.throwFailure();
    this.bytes += bytes;
    const ended = (): void => {
      this.running.delete(tracked);
      this.bytes -= bytes;
    };
    const tracked: Promise<void> = work().then(ended, (error: unknown) => {
      ended();
      this.failure ??= { error };
    });
    this.running.add(tracked);
  }

  /** Resolves when nothing is under way any more. @throws the first failure. */
  async settled(): Promise<void> {
    await Promise.all(this.running);
    await this.throwFailure();
  }

  private async throwFailure(): Promise<void> {
    if (this.failure === null) return;
    await Promise.all(this.running);
    throw this.failure.error;
  }
}
