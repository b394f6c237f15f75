/**
 * A znode that bars the way as long as it is there. Its removal wakes everybody who waits, which is what it is for.
 */
import { isZk, type Zk, type ZkError } from '../../client/index.ts';
import { stillUnknown } from '../contenders/errors.ts';
import { isSessionEnd, mayTryAgain, untilChanged, type WaitOptions, within } from '../contenders/wait.ts';

export class Barrier {
  readonly path: string;
  private readonly zk: Zk;

  constructor(zk: Zk, path: string) {
    this.zk = zk;
    this.path = path;
  }

  /** Bars the way; false when it was barred already. */
  async set(options: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
    let lost: ZkError | null = null;
    for (;;) {
      try {
        await this.zk.create(this.path, null, { parents: 'persistent', ...options });
        return true;
      } catch (error) {
        // Whether it was us or another: it bars.
        if (isZk(error, 'NODEEXISTS')) return false;
        if (!isZk(error)) throw error;
        const cannot = options.signal?.aborted === true || !mayTryAgain(error);
        if (cannot) throw lost === null ? error : stillUnknown(error, lost);
        if (error.outcome === 'unknown') lost = error;
      }
    }
  }

  /** Opens it, also when it was open. */
  async remove(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.zk.delete(this.path, { ifExists: true, resolve: true, ...options });
  }

  /** Resolves once the way is free. @throws AcquireTimeoutError, the signal's reason, or an error of the client. */
  wait(options: WaitOptions = {}): Promise<void> {
    return within(this.path, options, async (signal) => {
      for (;;) {
        try {
          const { changed } = await this.zk.getData(this.path, { watch: true, signal });
          await untilChanged(changed, signal);
        } catch (error) {
          if (isZk(error, 'NONODE')) return;
          if (!isSessionEnd(error)) throw error;
        }
      }
    });
  }
}

export function barrier(zk: Zk, path: string): Barrier {
  return new Barrier(zk, path);
}
