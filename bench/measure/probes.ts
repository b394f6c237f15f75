/**
 * Availability probes, apart from the load: one class each for what clients need, each on a session of its own (the
 * replies of one session come in order, so a slow write would delay a read behind it), each due every period
 * whatever happened to the one before. No retry hides inside a probe.
 *
 *     write             set of the probe's znode with a checked version         session may move to any server
 *     read              get of that znode from whatever server it is on         "
 *     freshRead         sync and get                                            "
 *     session           a new connection and session, closed again              any server, in turn
 *     read <server>     get from this server; only for services of several      session stays with the server
 *
 * Main thread; some 50 requests per second and class. A probe that the engine itself could not send within its
 * deadline says nothing about the target: it is left out as `unknown`, and `lagMsMax` tells.
 */
import type { ErrorName } from '../../src/client/index.ts';
import type { Address } from '../base/address.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import type { ProbePlan } from '../plan/plan.ts';
import type { AvailabilityResult } from '../result/run-json.ts';
import { requestRefused } from '../session/refusal.ts';
import { Session, withSession } from '../session/session.ts';
import { combineAvailability } from './availability.ts';
import { ProbeSession, type ProbeSessionLimits } from './probe-session.ts';
import { ProbeTrack } from './probe-track.ts';
import { WriteProbe } from './write-probe.ts';

/** An answer is awaited for this many deadlines, so that `late` and `failed` can be told apart. */
const LATE_DEADLINES = 10;
const SET_UP_MS_MAX = 5_000;

/** `name` as in the results. */
export interface ProbedServer {
  readonly name: string;
  readonly address: Address;
}

interface ProbeClass {
  readonly name: string;
  /** Settles the probe and ends; may reject for whatever means that it has failed. */
  readonly probe: (track: ProbeTrack, index: number) => Promise<void>;
}

export class AvailabilityProbes {
  private readonly addresses: readonly Address[];
  private readonly plan: ProbePlan;
  private readonly path: string;
  private readonly write: WriteProbe;
  private readonly floating: readonly ProbeSession[];
  private readonly pinned: readonly ProbeSession[];
  private readonly classes: readonly ProbeClass[];
  private readonly tracks = new Map<string, ProbeTrack>();
  /** Probes without an answer; bounded, because sessions give silent servers up. */
  private readonly running = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;
  private nextDueMs = 0;
  private nextServer = 0;
  private lagMsMaxSeen = 0;

  /** `path` is made by `start` and removed by `stop`; its parent must exist. */
  constructor(servers: readonly ProbedServer[], plan: ProbePlan, path: string) {
    const addresses = servers.map(({ address }) => address);
    const limits: ProbeSessionLimits = {
      silenceMsMax: LATE_DEADLINES * plan.deadlineMs,
      retryMs: plan.periodMs,
    };
    this.addresses = addresses;
    this.plan = plan;
    this.path = path;
    this.write = new WriteProbe(addresses, limits, path);
    // The znode was made over another connection, and may be newer than what this server has seen.
    const prepare = (session: Session): Promise<void> => session.ask((zk) => zk.sync(path));
    const read = new ProbeSession(addresses, limits, prepare);
    const freshRead = new ProbeSession(addresses, limits);
    this.floating = [read, freshRead];
    const several = servers.length > 1 ? servers : [];
    this.pinned = several.map(({ address }) => new ProbeSession([address], limits, prepare));
    this.classes = [
      { name: 'write', probe: (track, index) => this.write.probe(track, index) },
      { name: 'read', probe: (track, index) => this.probeRead(read, track, index) },
      { name: 'freshRead', probe: (track, index) => this.probeFreshRead(freshRead, track, index) },
      { name: 'session', probe: (track, index) => this.probeSession(track, index) },
      ...several.map(({ name }, i) => ({
        name: `read ${name}`,
        probe: (track: ProbeTrack, index: number) => this.probeRead(this.pinned[i]!, track, index),
      })),
    ];
  }

  /** @throws Error when no server takes the znode and the sessions. Single servers of a list may be down. */
  async start(): Promise<void> {
    await this.createNode();
    const firstDueMs = monotonicMs() + this.plan.periodMs;
    const { periodMs, deadlineMs } = this.plan;
    for (const { name } of this.classes) {
      this.tracks.set(name, new ProbeTrack(firstDueMs, periodMs, deadlineMs, monotonicMs));
    }
    await Promise.all([
      this.write.connect(this.tracks.get('write')!),
      ...this.floating.map((session) => session.connect()),
      ...this.pinned.map((session) => session.connect().catch(() => {})), // its probes will say it
    ]);
    this.nextDueMs = firstDueMs;
    this.arm();
  }

  /** Waits a deadline at most for the probes under way, and removes the znode. The results stay. */
  async stop(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    await atMost(this.plan.deadlineMs, Promise.all(this.running));
    await atMost(this.plan.deadlineMs, this.write.resolveLost());
    this.stopped = true;
    await this.deleteNode();
    await Promise.all([this.write, ...this.floating, ...this.pinned].map((session) => session.close()));
  }

  /** Of the probes due in `[fromMs, toMs)` of the monotonic clock; bands count from `fromMs`. */
  result(fromMs: number, toMs: number): AvailabilityResult {
    return combineAvailability(this.tracks, fromMs, toMs);
  }

  /** How late the main thread was with a probe at worst. */
  get lagMsMax(): number {
    return this.lagMsMaxSeen;
  }

  private arm(): void {
    this.timer = setTimeout(() => this.onTimer(), Math.max(0, this.nextDueMs - monotonicMs()));
  }

  private onTimer(): void {
    const nowMs = monotonicMs();
    this.lagMsMaxSeen = Math.max(this.lagMsMaxSeen, nowMs - this.nextDueMs);
    for (; this.nextDueMs <= nowMs; this.nextDueMs += this.plan.periodMs) {
      for (const probeClass of this.classes) this.launch(probeClass, nowMs);
    }
    this.arm();
  }

  private launch({ name, probe }: ProbeClass, nowMs: number): void {
    const track = this.tracks.get(name)!;
    const index = track.open();
    if (nowMs - this.nextDueMs > this.plan.deadlineMs) {
      track.settle(index, 'unknown');
      return;
    }
    const running = probe(track, index)
      .catch(() => this.settle(track, index, 'failed'))
      .finally(() => this.running.delete(running));
    this.running.add(running);
  }

  private async probeRead(session: ProbeSession, track: ProbeTrack, index: number): Promise<void> {
    await session.ask((zk) => zk.getData(this.path));
    this.succeed(track, index);
  }

  private async probeFreshRead(session: ProbeSession, track: ProbeTrack, index: number): Promise<void> {
    await session.ask((zk) => Promise.all([zk.sync(this.path), zk.getData(this.path)]));
    this.succeed(track, index);
  }

  /**
   * As a client with the whole list does it: servers in turn from one that differs from probe to probe, the next
   * one at once when one refuses, and after its part of the deadline when it says nothing.
   */
  private async probeSession(track: ProbeTrack, index: number): Promise<void> {
    const count = this.addresses.length;
    const first = this.nextServer++ % count;
    const { deadlineMs } = this.plan;
    for (let i = 0; i < count; i++) {
      const withinMs = i === count - 1 ? LATE_DEADLINES * deadlineMs : deadlineMs / count;
      try {
        const session = await Session.connect(this.addresses[(first + i) % count]!, { withinMs });
        this.succeed(track, index);
        void session.close();
        return;
      } catch {
        // The next server may have one to give.
      }
    }
    this.settle(track, index, 'failed');
  }

  private succeed(track: ProbeTrack, index: number): void {
    if (!this.stopped) track.answer(index);
  }

  /** What comes from closing the sessions is no outcome. */
  private settle(track: ProbeTrack, index: number, outcome: 'failed'): void {
    if (!this.stopped) track.settle(index, outcome);
  }

  private async createNode(): Promise<void> {
    let cause: unknown;
    for (const address of this.addresses) {
      try {
        const value = WriteProbe.firstValue();
        const error = await withSession(address, SET_UP_MS_MAX, (session) =>
          session.create(this.path, value),
        );
        if (error === null) return;
        cause = requestRefused(`create ${this.path}`, error);
      } catch (error) {
        cause = error;
      }
    }
    throw cause;
  }

  /** A target that is gone keeps the znode: it is not worth more than one try per server. */
  private async deleteNode(): Promise<void> {
    for (const address of this.addresses) {
      try {
        if ((await this.remove(address)) === null) return;
      } catch {
        // The next server may answer.
      }
    }
  }

  private remove(address: Address): Promise<ErrorName | null> {
    return withSession(address, this.plan.deadlineMs, (session) =>
      session.errorOf((zk) => zk.delete(this.path, { ifExists: true })),
    );
  }
}

async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
