/**
 * The workload of ATC'10, table 3: every client enters all barriers one after another, then leaves them all, by the double
 * barrier of `ringkeeper/recipes`.
 *
 * `all` is the time of one client from its first enter to its last leave: the seconds of the paper's table are its mean. What
 * counts as a request is an enter or a leave, as the paper counts its barrier operations. The phase ends when every client is through.
 */
import { performance } from 'node:perf_hooks';
import type { Zk } from '../../src/client/index.ts';
import { doubleBarrier } from '../../src/recipes/index.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import { WorkloadClient, type WorkloadSetting } from './workload-client.ts';

const ENTER = 0;
const LEAVE = 1;
const ALL = 2;

export function barrierDirectory(root: string, barrier: number): string {
  return `${root}/b${barrier}`;
}

export class DoubleBarrierClient extends WorkloadClient {
  private readonly barriers: number;

  constructor(phase: LoadPhase, setting: WorkloadSetting, barriers: number) {
    super(phase, setting);
    this.barriers = barriers;
  }

  /** The others may never come: the phase's time limit ends them all. */
  override tick(nowMs: number): void {
    super.tick(nowMs);
    if (nowMs >= this.phase.measureEndMs) this.abandon();
  }

  protected async work(zk: Zk): Promise<void> {
    const { root, clientCount } = this.setting;
    const { signal } = this;
    const all = Array.from({ length: this.barriers }, (_, barrier) =>
      doubleBarrier(zk, barrierDirectory(root, barrier), { members: clientCount }),
    );
    const firstMs = performance.now();
    for (const [label, pass] of [
      [ENTER, (barrier: (typeof all)[number]) => barrier.enter({ signal })],
      [LEAVE, (barrier: (typeof all)[number]) => barrier.leave({ signal })],
    ] as const) {
      for (const barrier of all) {
        const passed = await this.counted(label, async () => {
          await pass(barrier);
          return true;
        });
        // Its place is gone: nobody is helped by going on.
        if (passed === null) return;
      }
    }
    this.took(ALL, firstMs);
  }
}
