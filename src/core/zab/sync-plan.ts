/**
 * How a learner is brought to this server's history: a pure decision, Apache's (LearnerHandler.syncFollower). `peer` is the
 * last zxid that the learner has logged, committed or not.
 *
 *     peer is the last committed                 DIFF of nothing
 *     peer is a committed one that we remember   DIFF of what follows
 *     peer is none of ours, or beyond them       TRUNC to the last that we share, then what follows
 *     peer is older than we remember             from the log on the disk, which answers the same questions
 *     anything else                              SNAP
 *
 * A counter of 0 stands for the beginning of an epoch, which no transaction has: there is nothing to cut.
 */
import { epochOf, type Zxid } from '../../base/zxid.ts';

export type SyncPlan =
  /** Everything behind `from`, in pairs of PROPOSAL and COMMIT. */
  | { readonly kind: 'diff'; readonly from: Zxid }
  /** The learner cuts behind `to`, then everything behind that. */
  | { readonly kind: 'trunc'; readonly to: Zxid }
  /** Ask `planFromLog` with the log on the disk. */
  | { readonly kind: 'log' }
  | { readonly kind: 'snap' };

/** What of the committed history is at hand. */
export interface HistoryView {
  /** Whoever has everything up to `zxid` finds what follows here. */
  reachesBackTo(zxid: Zxid): boolean;
  /** The greatest committed zxid up to `zxid` that is known here. */
  floorOf(zxid: Zxid): Zxid;
  /** The smallest committed zxid greater than `zxid`, -1 if there is none. */
  nextZxid(zxid: Zxid): Zxid;
}

export interface SyncRules {
  /**
   * Whether the learner can be cut at a zxid that stands in no log file of its own but only in a snapshot. Apache's keeps the
   * record behind it then, silently: those get the whole tree instead.
   */
  readonly trusts: boolean;
  /** Whether the log on the disk may be asked. */
  readonly readsLog: boolean;
}

const SNAP: SyncPlan = { kind: 'snap' };

/** `history` has all that is committed from where it begins; what is not committed may follow in it. */
export function planSync(peer: Zxid, lastCommitted: Zxid, history: HistoryView, rules: SyncRules): SyncPlan {
  const isEpochStart = peer % 2 ** 32 === 0;
  if (peer === lastCommitted) return { kind: 'diff', from: peer };
  if (peer > lastCommitted) {
    if (isEpochStart) return { kind: 'diff', from: lastCommitted };
    return rules.trusts ? { kind: 'trunc', to: lastCommitted } : SNAP;
  }
  if (history.reachesBackTo(peer)) return planWithin(peer, isEpochStart, history, rules);
  return rules.readsLog ? { kind: 'log' } : SNAP;
}

/** The second question, to the log on the disk; `history` is that. */
export function planFromLog(peer: Zxid, history: HistoryView, rules: SyncRules): SyncPlan {
  return history.reachesBackTo(peer) ? planWithin(peer, peer % 2 ** 32 === 0, history, rules) : SNAP;
}

function planWithin(peer: Zxid, isEpochStart: boolean, history: HistoryView, rules: SyncRules): SyncPlan {
  const shared = history.floorOf(peer);
  if (shared === peer || isEpochStart) return { kind: 'diff', from: peer };
  // The learner has transactions that nobody committed. A cut must not cross an epoch.
  if (!rules.trusts || epochOf(history.nextZxid(peer)) !== epochOf(peer)) return SNAP;
  return { kind: 'trunc', to: shared };
}
