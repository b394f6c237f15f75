/** From a recipe's plan to its clients, and to the znodes that must exist before they start. */
import { unreachable } from '../../src/base/assert.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { SessionSocket } from '../load/session-socket.ts';
import type { RecipeLoad } from '../plan/plan.ts';
import { CreateThenDeleteClient } from './create-then-delete.ts';
import { barrierDirectory, DoubleBarrierClient } from './double-barrier.ts';
import { libraryPath } from './library-client.ts';
import { LockClient, lockDirectory } from './lock-contention.ts';
import type { RecipeClient, RecipeSetting } from './recipe-client.ts';
import { SessionStormClient } from './session-storm.ts';
import { FANOUT_TARGETS_PER_ZNODE, FanoutWatcher, FanoutWriter, fanoutPath } from './watch-fanout.ts';

export function recipeClient(
  load: Exclude<RecipeLoad, { kind: 'library' }>,
  socket: SessionSocket,
  phase: LoadPhase,
  setting: RecipeSetting,
): RecipeClient {
  switch (load.kind) {
    case 'sessionStorm':
      return new SessionStormClient(socket, phase, setting, load.abrupt);
    case 'watchFanout':
      return setting.index === 0
        ? new FanoutWriter(socket, phase, setting, load)
        : new FanoutWatcher(socket, phase, setting, load);
    case 'lock':
      return new LockClient(socket, phase, setting, load);
    case 'doubleBarrier':
      return new DoubleBarrierClient(socket, phase, setting, load.barriers);
    case 'createThenDelete':
      return new CreateThenDeleteClient(socket, phase, setting, load.values);
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
