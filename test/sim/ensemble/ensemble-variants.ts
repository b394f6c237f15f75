/**
 * Ensembles that are broken on purpose, each in one rule. The simulator has to find every one of them within a stated number of
 * seeds; who adds a rule adds its variant. The pure machines have variants of their own (../zab/variants.ts); these are in what
 * is around them: disks, desks, sessions, replies.
 */

import { LearnerSessions } from '../../../src/core/leading/learner-sessions.ts';
import { MajorityVerifier } from '../../../src/core/quorum/quorum-verifier.ts';
import { Replica } from '../../../src/core/replica.ts';
import { Leader } from '../../../src/core/zab/leader.ts';
import { Learner } from '../../../src/core/zab/learner.ts';
import { QuorumAcks } from '../../../src/core/zab/quorum-acks.ts';
import { HistorySender } from '../../../src/server/ensemble/history-sender.ts';
import { LearnerTerm } from '../../../src/server/ensemble/learner-term.ts';
import { LearnerDesk } from '../../../src/server/host/learner-desk.ts';
import { RingLogPort } from '../../../src/server/log/log-port.ts';
import { TappedLogPort } from '../../../src/server/log/tapped-log-port.ts';
import { EpochKind } from '../../../src/storage/epoch-files.ts';
import type { Mischief } from '../variants.ts';
import type { EnsembleFault } from './ensemble-faults.ts';

export interface EnsembleVariant extends Mischief {
  readonly name: string;
  /** Why a client would care. */
  readonly breaks: string;
  /** What the judge says of it. */
  readonly found: RegExp;
  /** These go wrong in each of its seeds, besides what the seed draws. */
  readonly faults?: readonly EnsembleFault[];
  /** Of so many seeds it must not survive all; default: 40. Null: it takes too many for a test. */
  readonly seeds?: number | null;
  /** Transactions of each epoch. */
  readonly epochLength?: number;
  /** Changes the servers' code for the time of a run; returns what undoes it. */
  readonly patch?: () => () => void;
}

export const INTACT: EnsembleVariant = { name: 'intact', breaks: 'nothing', found: /^$/ };

/** Members of a class that it does not show. */
type Hidden<T> = Record<string, (this: T, ...args: never[]) => unknown>;

/** Another function in place of a method, until it is undone. */
export function replace<T extends object>(
  prototype: T,
  method: string,
  make: (original: (this: T, ...args: never[]) => unknown) => (this: T, ...args: never[]) => unknown,
): () => void {
  const methods = prototype as unknown as Hidden<T>;
  const original = methods[method]!;
  if (original === undefined) throw new Error(`there is no method ${method}`);
  methods[method] = make(original);
  return () => {
    methods[method] = original;
  };
}

/** Something that has happened, as far as anybody is told, before it has. */
const LOST =
  /in place of the committed|leads without the committed|have it in their logs|do not come to the same history|no write gets done|not with one leader|behind its request|digest|logs another transaction|synced up to zxid|was known|proposed out of order/;

export const ENSEMBLE_VARIANTS: readonly EnsembleVariant[] = [
  {
    name: 'acknowledge-before-sync',
    faults: ['powerLossOfAll', 'slowDisk'],
    breaks: 'a transaction is acknowledged to the leader while a power loss may still take it back',
    found: LOST,
    disk: { logSyncLeftOut: true },
  },
  {
    name: 'directory-sync-left-out',
    faults: ['powerLossOfAll'],
    breaks: 'a power loss takes back a log file, with everything that was synced inside',
    found: LOST,
    disk: { directorySyncLeftOut: true },
  },
  {
    name: 'commit-on-a-minority',
    breaks: 'what one server has on its disk is told as committed',
    found: LOST,
    patch: () =>
      replace(
        QuorumAcks.prototype,
        'reachedBy',
        () =>
          function (this: QuorumAcks) {
            return Math.max(...this['acked']);
          },
      ),
  },
  {
    name: 'promise-not-kept',
    faults: ['crashOfAll', 'partition'],
    seeds: null,
    breaks: 'a server forgets in a crash which leader it has promised to follow',
    found: LOST,
    patch: () =>
      replace(
        LearnerDesk.prototype,
        'saveEpoch',
        (original) =>
          function (this: LearnerDesk, ...args: never[]) {
            const [kind, , done] = args as unknown as [EpochKind, number, () => void];
            if (kind === EpochKind.accepted) this['orders'].when(() => true, done);
            else original.apply(this, args);
          },
      ),
  },
  {
    name: 'epoch-after-acknowledgement',
    faults: ['powerLossInDiskCall', 'crashOfAll'],
    seeds: null,
    breaks: 'NEWLEADER is acknowledged before the epoch is on the disk',
    found: LOST,
    patch: () =>
      replace(
        LearnerTerm.prototype,
        'saveEpoch',
        (original) =>
          function (this: LearnerTerm, ...args: never[]) {
            const [kind] = args as unknown as ['accepted' | 'current'];
            original.apply(this, args);
            if (kind === 'current')
              this['platform'].loop.soon(() => this['answer'](() => this['learner'].onEpochSaved(kind)));
          },
      ),
  },
  {
    name: 'synchronisation-not-durable',
    faults: ['powerLoss', 'crashOfAll', 'isolation'],
    seeds: null,
    breaks: 'NEWLEADER is acknowledged before what the leader has sent is on the disk',
    found: LOST,
    patch: () =>
      replace(
        LearnerDesk.prototype,
        'persist',
        () =>
          function (this: LearnerDesk, ...args: never[]) {
            const [done] = args as unknown as [() => void];
            this['tree'] = null;
            this['orders'].when(() => true, done);
          },
      ),
  },
  {
    name: 'trunc-one-too-few',
    faults: ['isolation', 'crashOfLeader'],
    seeds: null,
    breaks: 'a server keeps a transaction that its leader has told it to cut',
    found: LOST,
    patch: () =>
      replace(
        RingLogPort.prototype,
        'truncate',
        (original) =>
          function (this: RingLogPort, ...args: never[]) {
            const [zxid] = args as unknown as [number];
            return original.apply(this, [zxid + 1] as unknown as never[]);
          },
      ),
  },
  {
    name: 'forgets-outstanding',
    faults: ['crashOfLeader', 'isolation'],
    seeds: null,
    breaks: 'a server that loses its leader drops what it had logged and was not told to be committed',
    found: LOST,
    patch: () =>
      replace(
        LearnerDesk.prototype,
        'settle',
        (original) =>
          function (this: LearnerDesk, ...args: never[]) {
            const [done] = args as unknown as [() => void];
            const { decided } = this['replica'].progress;
            original.apply(this, [() => this.truncate(decided, done)] as unknown as never[]);
          },
      ),
  },
  {
    name: 'applies-proposals',
    breaks: 'a learner publishes what is proposed and not yet committed',
    found: LOST,
    patch: () =>
      replace(
        LearnerTerm.prototype,
        'propose',
        (original) =>
          function (this: LearnerTerm, ...args: never[]) {
            const isTaken = original.apply(this, args);
            if (isTaken) this['desk'].decide(args[0] as unknown as number);
            return isTaken;
          },
      ),
  },
  {
    name: 'epoch-check-left-out',
    seeds: null,
    breaks: 'a server follows a leader of an older epoch than it has promised',
    found: LOST,
    patch: () =>
      replace(
        Learner.prototype,
        'onLeaderInfo',
        (original) =>
          function (this: Learner, ...args: never[]) {
            Object.assign(this['options'], { acceptedEpoch: 0 });
            original.apply(this, args);
          },
      ),
  },
  {
    name: 'leader-skips-own-sync',
    faults: ['slowDisk', 'isolation'],
    breaks: 'a leader counts itself before its own disk has a proposal',
    found: LOST,
    patch: () =>
      replace(
        Leader.prototype,
        'onProposed',
        (original) =>
          function (this: Leader, ...args: never[]) {
            original.apply(this, args);
            this.onDurable(args[0] as unknown as number);
          },
      ),
  },
  {
    name: 'observers-counted',
    faults: ['isolation', 'crash'],
    seeds: null,
    breaks: 'an observer is counted among the voters',
    found: LOST,
    patch: () => {
      const undo = [
        replace(Leader.prototype, 'votes', () => () => true),
        replace(
          MajorityVerifier.prototype,
          'containsQuorum',
          (original) =>
            function (this: MajorityVerifier, ...args: never[]) {
              const [sids] = args as unknown as [unknown];
              return sids instanceof Set ? sids.size > this.voters.size / 2 : original.apply(this, args);
            },
        ),
      ];
      return () => {
        for (const each of undo) each();
      };
    },
  },
  {
    name: 'older-tree-sent',
    faults: ['isolation', 'crashOfAll'],
    seeds: null,
    breaks: 'a learner is sent a tree that is older than what it has acknowledged',
    found: LOST,
    patch: () =>
      replace(
        HistorySender.prototype,
        'beginSnap',
        (original) =>
          function (this: HistorySender, ...args: never[]) {
            this['peer'].value = 0;
            return original.apply(this, args);
          },
      ),
  },
  {
    name: 'acls-dropped-while-loading',
    faults: ['isolation', 'wipe'],
    seeds: null,
    breaks: 'a tree that comes in pieces loses its ACLs',
    found: /no ACL with this id/,
    patch: () =>
      replace(
        Replica.prototype,
        'endTurn',
        (original) =>
          function (this: Replica, ...args: never[]) {
            this.parts.acls.dropUnreferenced();
            original.apply(this, args);
          },
      ),
  },
  {
    name: 'snapshots-stay',
    faults: ['isolation', 'crashOfAll'],
    seeds: null,
    breaks: 'snapshots of an abandoned history stay beside the tree that a leader has sent',
    found: LOST,
    patch: () =>
      replace(
        LearnerDesk.prototype,
        'persistTree',
        (original) =>
          function (this: LearnerDesk, ...args: never[]) {
            Object.assign(this, {
              host: Object.create(this['host'], { discardSnapshots: { value: () => {} } }),
            });
            original.apply(this, args);
          },
      ),
  },
  {
    name: 'session-dropped-on-failover',
    breaks: 'a client that goes on at another server is told that its session has ended',
    found: /lives and was refused/,
    patch: () => replace(LearnerSessions.prototype, 'revalidate', () => () => false),
  },
  {
    name: 'event-after-reply',
    breaks: 'a client sees newer data before it hears of the change',
    found: /has not come; a reply|a reconnect brings/,
    events: 'late',
  },
  {
    name: 'event-lost',
    breaks: 'a client waits for ever',
    found: /has not come|a reconnect brings/,
    events: 'lost',
  },
  {
    name: 'event-twice',
    breaks: 'a one-shot watch fires twice',
    found: /for which no watch was set|a reconnect brings/,
    events: 'twice',
  },
  {
    name: 'goes-on-in-the-next-epoch',
    epochLength: 25,
    breaks: 'a leader that has no zxids left takes those of an epoch that nobody has agreed to',
    found: /only a leader proposes, in its epoch/,
    patch: () =>
      replace(
        TappedLogPort.prototype,
        'open',
        (original) =>
          function (this: TappedLogPort, tap: never) {
            original.call(this, tap, Number.POSITIVE_INFINITY as never);
          },
      ),
  },
];
