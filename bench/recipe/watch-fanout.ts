/**
 * One session writes, all others watch: client 0 sets the znodes in turn at a fixed rate, every other client keeps a
 * one-shot data watch on each of them and arms it again when it fires. For each watcher, to the event's arrival:
 *
 *     event             from the write's acknowledgement: what its caller must still reckon with; 0 when the event was first
 *     write to event    from its sending: says something also where every event comes first
 *
 * Versions say which write an event belongs to. Of its own writes the writer knows them at once, as nobody else writes
 * here; should a reply say otherwise, or the session be lost, later sendings are not noted. The watchers: `fanout-watcher.ts`.
 */

import { performance } from 'node:perf_hooks';
import type { Zk } from '../../src/client/index.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import { WorkloadClient, type WorkloadSetting } from './workload-client.ts';

const SET = 0;
/** A write waits while this many are unanswered: a slow server gets a lower rate, and the figure shows it. */
const WRITES_IN_FLIGHT_MAX = 1_000;

export interface FanoutPlan {
  readonly znodes: number;
  readonly writesPerSecond: number;
}

export function fanoutPath(root: string, znode: number): string {
  return `${root}/w${String(znode).padStart(6, '0')}`;
}

/** Targets of the delays: the acknowledgements of each znode's writes, then their sendings. */
export const FANOUT_TARGETS_PER_ZNODE = 2;

export function sendingOf(znode: number, znodes: number): number {
  return znodes + znode;
}

export class FanoutWriter extends WorkloadClient {
  private readonly plan: FanoutPlan;
  private zk: Zk | null = null;
  private written = 0;
  private versionsKnown = true;

  constructor(phase: LoadPhase, setting: WorkloadSetting, plan: FanoutPlan) {
    super(phase, setting);
    this.plan = plan;
  }

  override tick(nowMs: number): void {
    super.tick(nowMs);
    const { zk } = this;
    if (zk === null || this.isOver) return;
    const dueCount = Math.floor(((nowMs - this.phase.startMs) / 1000) * this.plan.writesPerSecond);
    while (this.written < dueCount && this.inFlight < WRITES_IN_FLIGHT_MAX) void this.write(zk);
  }

  protected async work(zk: Zk): Promise<void> {
    this.zk = zk;
    await this.over;
    await this.answered();
  }

  private async write(zk: Zk): Promise<void> {
    const { znodes } = this.plan;
    const { delays, root } = this.setting;
    const znode = this.written % znodes;
    const madeVersion = Math.floor(this.written++ / znodes) + 1;
    if (this.versionsKnown) delays.onCountedAck(sendingOf(znode, znodes), madeVersion, performance.now());
    const stamp = Buffer.alloc(8);
    stamp.writeUInt32BE(this.written, 4);
    const stat = await this.counted(SET, () => zk.setData(fanoutPath(root, znode), stamp));
    if (stat?.version !== madeVersion) this.versionsKnown = false;
    if (stat !== null) delays.onCountedAck(znode, stat.version, performance.now());
  }
}
