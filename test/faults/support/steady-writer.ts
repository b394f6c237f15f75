/**
 * A client of one server that writes without a pause, one write at a time, and notes when each was acknowledged. When its connection
 * ends it comes back to the same server as soon as that lets it in, with its session.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { RawClient } from '../../support/raw-client.ts';
import { setData } from './requests.ts';
import { isConnectionLoss, SESSION_TIMEOUT_MS, type Session } from './writer.ts';

/** Between tries to come back. */
const PAUSE_MS = 1;

/** Of the wall clock, with fractions: what servers write into their log lines is compared with it. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

export interface Outage {
  /** Between the last write that was acknowledged before and the first one after. */
  readonly beginMs: number;
  readonly endMs: number;
  /** When the client was let in again; null: its connection did not end. */
  readonly backMs: number | null;
}

export class SteadyWriter {
  private readonly port: number;
  private readonly path: string;
  private readonly acknowledgedMs: number[] = [];
  private readonly welcomesMs: number[] = [];
  private client: RawClient | null = null;
  private session: Session | null = null;
  private isOver = false;
  private readonly waiting = new Set<() => void>();

  constructor(port: number, path: string) {
    this.port = port;
    this.path = path;
  }

  /** Until `stop`. @throws Error when a write is refused */
  async run(): Promise<void> {
    const { op, body } = setData(this.path, new Uint8Array(100));
    while (!this.isOver) {
      try {
        this.client ??= await this.comeBack();
        const { err } = await this.client.request(op, body);
        if (err !== 0) throw new Error(`a write is answered with ${err}`);
        this.acknowledgedMs.push(nowMs());
        for (const look of this.waiting) look();
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
        this.client?.destroy();
        this.client = null;
        await delay(PAUSE_MS);
      }
    }
    this.client?.destroy();
  }

  stop(): void {
    this.isOver = true;
  }

  /** `count` writes acknowledged later than `sinceMs`. */
  acknowledges(count: number, sinceMs = 0): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.acknowledgedMs.length < count || this.acknowledgedMs.at(-count)! <= sinceMs) return;
      this.waiting.delete(look);
      resolve();
    };
    this.waiting.add(look);
    look();
    return promise;
  }

  /** The longest time without an acknowledgement that ended later than `sinceMs`. */
  longestOutage(sinceMs: number): Outage {
    const times = this.acknowledgedMs;
    let at = times.length - 1;
    for (let i = at; i > 0 && times[i]! > sinceMs; i--)
      if (times[i]! - times[i - 1]! > times[at]! - times[at - 1]!) at = i;
    const beginMs = times[at - 1]!;
    const endMs = times[at]!;
    const backMs = this.welcomesMs.findLast((ms) => ms > beginMs && ms <= endMs) ?? null;
    return { beginMs, endMs, backMs };
  }

  private async comeBack(): Promise<RawClient> {
    const client = await RawClient.open(this.port, {
      timeoutMs: SESSION_TIMEOUT_MS,
      ...(this.session ?? {}),
    });
    this.session = client.session;
    this.welcomesMs.push(nowMs());
    return client;
  }
}
