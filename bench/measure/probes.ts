/**
 * Availability probes, apart from the load: three classes, each on sessions of its own, each due every period
 * whatever happened to the one before. No retry hides inside a probe. Main thread; its rate is ~150 requests/s.
 *
 *     write    setData of the probe's own znode
 *     read     getData of that znode, on another session
 *     session  a new connection, a new session, closed again
 */
import type { Request } from '../../src/wire/request-values.ts';
import { createRequest, deleteRequest, getRequest, setRequest } from '../load/frames.ts';
import type { Address } from '../load/load-connection.ts';
import { monotonicMs } from '../load/phase-clock.ts';
import { ConnectionLost, type RawReply, RawSession } from '../load/raw-session.ts';
import type { ProbePlan } from '../plan.ts';
import type { ProbeOutcome, ProbeResult } from './availability.ts';

export const PROBE_CLASSES = ['write', 'read', 'session'] as const;
export type ProbeClass = (typeof PROBE_CLASSES)[number];

/** An answer is awaited for this many deadlines, so that `late` and `failed` can be told apart. */
const LATE_DEADLINES = 10;
const SET_UP_MS_MAX = 5_000;

/** The results of one class, in the order in which the probes were due. */
export class ProbeTrack {
  private readonly entries: { dueMs: number; outcome: ProbeOutcome }[] = [];

  /** Failed until proved otherwise: a probe that is never answered needs no further step. */
  open(dueMs: number): (outcome: ProbeOutcome) => void {
    const entry: { dueMs: number; outcome: ProbeOutcome } = { dueMs, outcome: 'failed' };
    this.entries.push(entry);
    return (outcome) => {
      entry.outcome = outcome;
    };
  }

  get results(): readonly ProbeResult[] {
    return this.entries;
  }
}

export class AvailabilityProbes {
  readonly tracks: Readonly<Record<ProbeClass, ProbeTrack>> = {
    write: new ProbeTrack(),
    read: new ProbeTrack(),
    session: new ProbeTrack(),
  };
  private readonly address: Address;
  private readonly plan: ProbePlan;
  private readonly path: string;
  private readonly sessions: Record<'write' | 'read', FloatingSession>;
  private timer: NodeJS.Timeout | null = null;
  private nextDueMs = 0;
  private openCount = 0;
  private lagMsMaxSeen = 0;

  constructor(address: Address, plan: ProbePlan, path: string) {
    this.address = address;
    this.plan = plan;
    this.path = path;
    this.sessions = { write: new FloatingSession(address, plan), read: new FloatingSession(address, plan) };
  }

  async start(): Promise<void> {
    const session = await RawSession.connect(this.address, SET_UP_MS_MAX);
    await session.request(createRequest(this.path, Buffer.alloc(8)));
    await session.close();
    await Promise.all([this.sessions.write.connect(), this.sessions.read.connect()]);
    this.nextDueMs = monotonicMs() + this.plan.periodMs;
    this.arm();
  }

  /** Waits for probes under way, removes the znode. The tracks stay. */
  async stop(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    const limitMs = monotonicMs() + this.plan.deadlineMs;
    while (this.openCount > 0 && monotonicMs() < limitMs) await sleep(5);
    try {
      const session = await RawSession.connect(this.address, this.plan.deadlineMs);
      await session.request(deleteRequest(this.path));
      await session.close();
    } catch {
      // The target is gone, and the znode is not worth more than this try.
    }
    await Promise.all([this.sessions.write.close(), this.sessions.read.close()]);
  }

  /** How late the main thread was with a probe at worst; its delay is inside the outcomes. */
  get lagMsMax(): number {
    return this.lagMsMaxSeen;
  }

  private arm(): void {
    this.timer = setTimeout(() => this.onTimer(), Math.max(0, this.nextDueMs - monotonicMs()));
  }

  private onTimer(): void {
    const now = monotonicMs();
    this.lagMsMaxSeen = Math.max(this.lagMsMaxSeen, now - this.nextDueMs);
    for (; this.nextDueMs <= now; this.nextDueMs += this.plan.periodMs) this.probe(this.nextDueMs);
    this.arm();
  }

  private probe(dueMs: number): void {
    const { write, read } = this.sessions;
    const stamp = Buffer.alloc(8);
    stamp.writeDoubleBE(dueMs);
    this.judge('write', dueMs, () => write.request(setRequest(this.path, stamp)));
    this.judge('read', dueMs, () => read.request(getRequest(this.path)));
    this.judge('session', dueMs, () => this.openSession());
  }

  private judge(kind: ProbeClass, dueMs: number, ask: () => Promise<RawReply>): void {
    const settle = this.tracks[kind].open(dueMs);
    this.openCount++;
    ask()
      .then(
        ({ error }) => {
          const inTime = monotonicMs() - dueMs <= this.plan.deadlineMs;
          settle(error !== 0 ? 'failed' : inTime ? 'ok' : 'late');
        },
        (error: Error) => settle(error instanceof ConnectionLost ? 'unknown' : 'failed'),
      )
      .finally(() => this.openCount--);
  }

  private async openSession(): Promise<RawReply> {
    const { deadlineMs } = this.plan;
    let session: RawSession;
    try {
      session = await RawSession.connect(this.address, LATE_DEADLINES * deadlineMs);
    } catch (error) {
      // A session that did not come up has no unknown outcome: nobody could use it.
      throw new Error('no session', { cause: error });
    }
    void session.close();
    return { error: 0 };
  }
}

/** A session that is replaced when it breaks; while there is none, requests fail at once. */
class FloatingSession {
  private readonly address: Address;
  private readonly withinMs: number;
  private readonly retryMs: number;
  private session: RawSession | null = null;
  private closed = false;
  private connecting = false;

  constructor(address: Address, plan: ProbePlan) {
    this.address = address;
    this.withinMs = LATE_DEADLINES * plan.deadlineMs;
    this.retryMs = plan.periodMs;
  }

  async connect(): Promise<void> {
    this.session = await RawSession.connect(this.address, this.withinMs);
  }

  request(request: Request): Promise<RawReply> {
    if (this.session?.isOpen) return this.session.request(request);
    if (!this.connecting && !this.closed) void this.reconnect();
    return Promise.reject(new Error('no session'));
  }

  async close(): Promise<void> {
    this.closed = true;
    const session = this.session;
    if (session === null) return;
    const grace = setTimeout(() => session.destroy(), this.withinMs);
    await session.close();
    clearTimeout(grace);
  }

  private async reconnect(): Promise<void> {
    this.connecting = true;
    try {
      await this.connect();
      if (this.closed) this.session?.destroy();
    } catch {
      await sleep(this.retryMs);
    }
    this.connecting = false;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
