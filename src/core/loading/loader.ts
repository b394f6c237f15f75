/**
 * Start-up: fills a replica from a snapshot and the log behind it. Nothing is staged; nobody is served meanwhile.
 *
 *     snapshot.begin → session* → acl* → node* → digest? → end → replay.apply* → replay.finish
 *
 * Called by the host's recovery, on the core's thread.
 */
import type { Zxid } from '../../base/zxid.ts';
import { LoadState, type LoadTarget } from './load-state.ts';
import { SnapshotLoader } from './snapshot-loader.ts';
import { TxnReplay } from './txn-replay.ts';

export class Loader {
  readonly snapshot: SnapshotLoader;
  readonly replay: TxnReplay;
  private readonly state: LoadState;

  constructor(target: LoadTarget) {
    this.state = new LoadState(target);
    this.snapshot = new SnapshotLoader(this.state);
    this.replay = new TxnReplay(this.state);
  }

  get lastZxid(): Zxid {
    return this.state.lastZxid.value;
  }

  /** Transactions after which the tree was not the one that their digest promises. */
  get digestMismatches(): number {
    return this.state.digestMismatches;
  }

  get firstMismatchZxid(): Zxid {
    return this.state.firstMismatchZxid.value;
  }
}
