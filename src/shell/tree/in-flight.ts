/**
 * Work under way at the same time, bounded: whoever adds more waits for the oldest. The first failure is thrown by the next
 * `add` or by `settled`, and nothing is left unhandled behind it.
 */

/** Enough to keep a server busy over a slow network. */
const WIDTH = 128;

export class InFlight {
  private readonly width: number;
  private readonly running = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | null = null;

  constructor(width: number) {
    this.width = width;
  }

  /** Resolves when there is room for more. @throws what an earlier one threw. */
  async add(work: Promise<unknown>): Promise<void> {
    const tracked: Promise<void> = work.then(
      () => void this.running.delete(tracked),
      (error: unknown) => {
        this.running.delete(tracked);
        this.failure ??= { error };
      },
    );
    this.running.add(tracked);
    while (this.running.size >= this.width && this.failure === null) await Promise.race(this.running);
    await this.throwFailure();
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

export function inFlight(width = WIDTH): InFlight {
  return new InFlight(width);
}
