/**
 * Ctrl-C and its relatives: the first signal asks the work to end, which saves what was measured; another one a second
 * later or more leaves at once. A terminal's Ctrl-C may arrive twice, from the terminal and from npm, so a second one
 * that follows at once is the same one.
 */
import { constants } from 'node:os';

const SECOND_SIGNAL_MS_MIN = 1_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs the body of a command and ends the process: with the signal's status if one came, else with the body's. What
 * the body throws after a signal may be its consequence, so that it is told but does not change the status.
 */
export async function interruptible(
  notice: string,
  body: (signal: AbortSignal) => Promise<number>,
): Promise<never> {
  const interruption = new Interruption(notice);
  let status = 1;
  try {
    status = await body(interruption.signal);
  } catch (error) {
    if (interruption.exitStatus === 0) throw error;
    process.stderr.write(`${(error as Error).message}\n`);
  } finally {
    interruption.release();
  }
  process.exit(interruption.exitStatus || status);
}

export class Interruption {
  /** 128 + the first signal; 0 while there was none. */
  exitStatus = 0;
  private readonly controller = new AbortController();
  private readonly notice: string;
  private firstAt = 0;

  /** `notice` says on stderr what happens now. */
  constructor(notice: string) {
    this.notice = notice;
    for (const name of SIGNALS) process.on(name, this.onSignal);
  }

  /** Signals end the process again. */
  release(): void {
    for (const name of SIGNALS) process.off(name, this.onSignal);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  private readonly onSignal = (name: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (this.signal.aborted) {
      if (nowMs - this.firstAt > SECOND_SIGNAL_MS_MIN) process.exit(128 + constants.signals[name]);
      return;
    }
    this.firstAt = nowMs;
    this.exitStatus = 128 + constants.signals[name];
    process.stderr.write(`\n${this.notice}\n`);
    this.controller.abort();
  };
}
