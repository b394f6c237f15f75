/**
 * A client that uses `ringkeeper/recipes` as users do: round after round. What counts as a request is the round; its steps have
 * latencies of their own.
 */
import type { Zk } from '../../src/client/index.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { RecipeLoad } from '../plan/plan.ts';
import { openRounds } from './library-rounds.ts';
import { WorkloadClient, type WorkloadSetting } from './workload-client.ts';

type LibraryLoad = Extract<RecipeLoad, { kind: 'library' }>;

const ROUND = 0;

export function libraryPath(root: string, object: number): string {
  return `${root}/object-${object}`;
}

export class LibraryClient extends WorkloadClient {
  private readonly load: LibraryLoad;

  constructor(phase: LoadPhase, setting: WorkloadSetting, load: LibraryLoad) {
    super(phase, setting);
    this.load = load;
  }

  /** Of a barrier the others may have stopped a round earlier: nobody would come any more. */
  override tick(nowMs: number): void {
    super.tick(nowMs);
    if (this.load.recipe === 'barrier' && nowMs >= this.phase.measureEndMs) this.abandon();
  }

  protected async work(zk: Zk): Promise<void> {
    const { load, setting } = this;
    const object = setting.index % load.objects;
    const rounds = await openRounds(load.recipe, zk, {
      path: libraryPath(setting.root, object),
      members: Math.ceil((setting.clientCount - object) / load.objects),
      signal: this.signal,
      step: (label, work) => this.step(label, work),
      hold: () => this.hold(),
    });
    try {
      while (!this.isOver) await this.counted(ROUND, () => rounds.one());
    } finally {
      await rounds.close();
    }
  }

  private hold(): Promise<void> {
    return this.pause(this.load.holdMs);
  }
}
