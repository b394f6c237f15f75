/**
 * All clients of a lock against each other, by the lock of `ringkeeper/recipes`: acquire, hold, release, again.
 *
 * `acquire` is the time until the lock is held; `hand over` that from the acknowledgement of the previous holder's release to
 * the moment when the next one holds it, which is what the recipe costs between two holders. Holders of a lock are told
 * apart by the sequence numbers of their znodes, which follow each other; the new one may hold it before the old one has
 * heard that it let go, and counts 0 then.
 */
import { performance } from 'node:perf_hooks';
import type { Zk } from '../../src/client/index.ts';
import { lock } from '../../src/recipes/index.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import { WorkloadClient, type WorkloadSetting } from './workload-client.ts';

const ROUND = 0;
const ACQUIRE = 1;
const RELEASE = 2;
const HAND_OVER = 3;
const SEQUENCE_DIGITS = 10;

export interface LockPlan {
  readonly locks: number;
  readonly holdMs: number;
}

export function lockDirectory(root: string, index: number): string {
  return `${root}/lock-${index}`;
}

export class LockClient extends WorkloadClient {
  private readonly plan: LockPlan;
  private readonly lock: number;

  constructor(phase: LoadPhase, setting: WorkloadSetting, plan: LockPlan) {
    super(phase, setting);
    this.plan = plan;
    this.lock = setting.index % plan.locks;
  }

  protected async work(zk: Zk): Promise<void> {
    const one = lock(zk, lockDirectory(this.setting.root, this.lock));
    while (!this.isOver) await this.counted(ROUND, () => this.round(one));
  }

  private async round(one: ReturnType<typeof lock>): Promise<void> {
    const sinceMs = performance.now();
    const lease = await one.acquire({ signal: this.signal });
    const sequence = Number(lease.path.slice(-SEQUENCE_DIGITS));
    this.took(ACQUIRE, sinceMs);
    this.tookOver(sequence, sinceMs);
    await this.pause(this.plan.holdMs);
    await this.step(RELEASE, () => lease.release());
    this.setting.delays.onCountedAck(this.lock, sequence, performance.now());
  }

  /** Who found the lock free took it over from nobody. */
  private tookOver(sequence: number, sinceMs: number): void {
    if (sequence === 0 || this.signal.aborted) return;
    const nowMs = performance.now();
    const delayMs = this.setting.delays.sinceCountedAck(this.lock, sequence - 1, nowMs);
    if (delayMs <= nowMs - sinceMs) this.phase.onDelay(HAND_OVER, delayMs, nowMs);
  }
}
