/**
 * Reads that set a one-shot watch. The promise of the one event is part of the result itself: nothing stands between the
 * reply and who waits for it, so the reply of no later read is seen before the event.
 */
import { OpCode } from '../wire/opcodes.ts';
import type { CallFacts, CallOptions, ClientCore } from './client-core.ts';
import { ZkError } from './errors.ts';
import { toServerPath } from './paths.ts';
import type { WatchKind } from './watch-registry.ts';
import { OneShotWatch } from './watch-stream.ts';

export type WatchableOp = typeof OpCode.getData | typeof OpCode.exists | typeof OpCode.getChildren2;

export function readWatched<T extends object>(
  { core, chroot }: { readonly core: ClientCore; readonly chroot: string },
  facts: CallFacts<T>,
  opcode: WatchableOp,
  options: CallOptions,
): Promise<T> {
  const { path, decode, fromError = null } = facts;
  const watch = new OneShotWatch(chroot, () => watchEnded(core, path));
  const serverPath = toServerPath(chroot, path);
  const changed = Object.assign(watch.promise, {
    [Symbol.dispose]: (): void => {
      if (watch.settled) return;
      const kinds: readonly WatchKind[] = opcode === OpCode.getChildren2 ? ['child'] : ['data', 'exist'];
      for (const kind of kinds) void core.unwatch(kind, serverPath, watch);
    },
  });
  return core.call(
    {
      ...facts,
      watcher: watch,
      decode: (...body) => Object.assign(decode(...body), { changed }),
      fromError: (err) => {
        const value = fromError?.(err);
        return value === undefined ? undefined : Object.assign(value, { changed });
      },
    },
    options,
  );
}

function watchEnded(core: ClientCore, path: string): ZkError {
  const code = core.driver.machine.isOver ? 'CLOSED' : 'SESSIONEXPIRED';
  return new ZkError({ code, op: 'watch', path, outcome: 'refused' });
}
