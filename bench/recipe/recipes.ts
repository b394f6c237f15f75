/** From a recipe's plan to its clients, and to the znodes that must exist before they start. */
import { unreachable } from '../../src/base/assert.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { SessionSocket } from '../load/session-socket.ts';
import type { RecipeLoad } from '../plan/plan.ts';
import { CreateThenDeleteClient } from './create-then-delete.ts';
import { barrierDirectory, DoubleBarrierClient } from './double-barrier.ts';
import { FanoutWatcher } from './fanout-watcher.ts';
import { LibraryClient, libraryPath } from './library-client.ts';
import { LockClient, lockDirectory } from './lock-contention.ts';
import { SessionStormClient } from './session-storm.ts';
import { FANOUT_TARGETS_PER_ZNODE, FanoutWriter, fanoutPath } from './watch-fanout.ts';
import type { WorkloadClient, WorkloadSetting } from './workload-client.ts';

/** `socket`: of a session that is open; for a storm, of one that is not. Clients of the library have sessions of their own. */
export function recipeClient(
  load: RecipeLoad,
  socket: SessionSocket,
  phase: LoadPhase,
  setting: WorkloadSetting,
): WorkloadClient | SessionStormClient | FanoutWatcher {
  switch (load.kind) {
    case 'sessionStorm':
      return new SessionStormClient(socket, phase, setting.root, load.abrupt);
    case 'watchFanout':
      return setting.index === 0
        ? new FanoutWriter(phase, setting, load)
        : new FanoutWatcher(socket, phase, setting, load.znodes);
    case 'lock':
      return new LockClient(phase, setting, load);
    case 'doubleBarrier':
      return new DoubleBarrierClient(phase, setting, load.barriers);
    case 'createThenDelete':
      return new CreateThenDeleteClient(phase, setting, load.values);
    case 'library':
      return new LibraryClient(phase, setting, load);
    default:
      return unreachable('unknown recipe');
  }
}

/** A directory of its own for each phase and its warm-up: what one leaves behind does not meet the next. */
export function recipeRoot(treeRoot: string, phaseIndex: number, warmUp: boolean): string {
  return `${treeRoot}/recipe-${phaseIndex}${warmUp ? '-warm' : ''}`;
}

/** Persistent znodes to create before the phase, parents first, `root` itself included. */
export function recipeZnodes(load: RecipeLoad, root: string): readonly string[] {
  const each = (count: number, path: (index: number) => string): string[] => [
    root,
    ...Array.from({ length: count }, (_, index) => path(index)),
  ];
  switch (load.kind) {
    case 'watchFanout':
      return each(load.znodes, (znode) => fanoutPath(root, znode));
    case 'lock':
      return each(load.locks, (lock) => lockDirectory(root, lock));
    case 'library':
      return each(load.objects, (object) => libraryPath(root, object));
    case 'doubleBarrier':
      return each(load.barriers, (barrier) => barrierDirectory(root, barrier));
    default:
      return [root];
  }
}

/** How many targets its watch delays need; see load/watch-delays.ts. */
export function recipeTargetCount(load: RecipeLoad): number {
  if (load.kind === 'watchFanout') return FANOUT_TARGETS_PER_ZNODE * load.znodes;
  return load.kind === 'lock' ? load.locks : 0;
}

/** A recipe that does a given work and is then over, however long it takes. */
export function endsByWork(load: RecipeLoad): boolean {
  return load.kind === 'doubleBarrier';
}
