/**
 * A standard stream that lines are written to, which can neither end nor hold up whoever writes: on a full file system, into
 * a pipe without reader or with one that has stopped, to a terminal that was closed. Main thread.
 *
 *     write ──▶ the system takes it ─────────▶ done: a line is out when the call returns
 *                 │ a part, or none for now          │ refuses (ENOSPC, EPIPE, EIO, ...)
 *                 ▼                                  ▼
 *               waiting, up to 64 KiB ──full──▶ lost: counted, and told as soon as a line gets through
 *
 * What was lost is told by `onLost`, which writes a line itself. A timer tries again while there is something to try.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

export const STDOUT_FD = 1;
export const STDERR_FD = 2;

/** What waits for a slow reader. More would be old before it is read. */
const WAITING_BYTES_MAX = 64 * 1024;
const RETRY_MS = 1000;
const PAUSE_MS = 10;
const NEWLINE = 0x0a;

/** write(2): how many bytes were taken. @throws with the system's code */
export type WriteBytes = (bytes: Uint8Array) => number;

export class LineOutput {
  /** Called when lines get through again after `count` of them did not, because of `reason`. */
  onLost: (count: number, reason: string) => void = () => {};
  private readonly writeBytes: WriteBytes;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private lost = 0;
  private reason = '';
  /** The rest of the last line was lost: the next one begins on a line of its own. */
  private isCut = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(writeBytes: WriteBytes) {
    this.writeBytes = writeBytes;
  }

  /** Takes whole lines. Never throws, never blocks. True: all of them are out, or wait for the reader. */
  write(text: string): boolean {
    const lostBefore = this.lost;
    const bytes = Buffer.from(this.isCut ? `\n${text}` : text);
    this.drain();
    if (this.waiting.length === 0 || this.waitingBytes + bytes.length <= WAITING_BYTES_MAX) {
      this.waiting.push(bytes);
      this.waitingBytes += bytes.length;
      this.drain();
    } else {
      this.lose(1, 'its reader has stopped');
    }
    if (this.lost > lostBefore) {
      this.tryAgainLater();
      return false;
    }
    this.tell();
    return true;
  }

  /** Before the process ends: gives a slow reader a last chance, but no longer than that. */
  close(waitMs: number): void {
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let passedMs = 0; this.waiting.length > 0 && passedMs < waitMs; passedMs += PAUSE_MS) {
      Atomics.wait(pause, 0, 0, PAUSE_MS);
      this.drain();
    }
    this.tell();
    if (this.timer !== null) clearInterval(this.timer);
  }

  private drain(): void {
    while (this.waiting.length > 0) {
      const bytes = this.waiting[0]!;
      try {
        const count = this.writeBytes(bytes);
        this.waitingBytes -= count;
        if (count > 0) this.isCut = bytes[count - 1] !== NEWLINE;
        if (count === bytes.length) this.waiting.shift();
        else this.waiting[0] = bytes.subarray(count);
      } catch (error) {
        const { code = String(error) } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN') this.tryAgainLater();
        else this.lose(this.waiting.length, code);
        return;
      }
    }
  }

  /** `count`: all that wait, or one that could not. */
  private lose(count: number, reason: string): void {
    this.lost += count;
    this.reason = reason;
    if (count !== this.waiting.length) return;
    this.waiting = [];
    this.waitingBytes = 0;
  }

  private tell(): void {
    if (this.lost === 0 || this.waiting.length > 0) return;
    const { lost, reason } = this;
    this.lost = 0;
    this.onLost(lost, reason);
    // Not this time either, but it was tried: they are counted with what is lost next.
    if (this.lost > 0) this.lost += lost - 1;
  }

  private tryAgainLater(): void {
    if (this.timer !== null) return;
    this.timer = setInterval(() => {
      this.drain();
      this.tell();
      if (this.waiting.length > 0 || this.lost > 0 || this.timer === null) return;
      clearInterval(this.timer);
      this.timer = null;
    }, RETRY_MS);
    this.timer.unref();
  }
}

/**
 * Output to a standard stream. A pipe or a terminal is opened once more, so that writing to it does not block here and
 * still does for the others who share it; a socket cannot be, and gets that from Node's own stream. Writing to a file never waits
 * for a reader, and must share its position with the others.
 */
export function standardOutput(fd: number): LineOutput {
  const own = reopened(fd);
  return new LineOutput((bytes) => writeSync(own, bytes));
}

function reopened(fd: number): number {
  try {
    const kind = fstatSync(fd);
    if (kind.isSocket()) void (fd === STDOUT_FD ? process.stdout : process.stderr);
    if (!kind.isFIFO() && !isatty(fd)) return fd;
    return openSync(`/dev/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (_) {
    // No such way on this system, or nobody reads it any more: then writing tells.
    return fd;
  }
}
