/**
 * Servers that are broken on purpose, each in one rule. The simulator has to find every one of them within a stated
 * number of seeds; who adds a rule adds its variant.
 */

import { ContainerSweep, NOTHING_DUE } from '../../src/core/container/container-sweep.ts';
import { QuotaTable } from '../../src/core/quota/quota-table.ts';
import { MultiRead } from '../../src/core/request/multi-read.ts';
import { PathLookup } from '../../src/core/request/path-lookup.ts';
import { LatestView } from '../../src/core/txn/latest-view.ts';
import { WatchTable } from '../../src/core/watch/watch-table.ts';
import { ConnectionTable } from '../../src/net/connection-table.ts';
import { CoreHost } from '../../src/server/host/core-host.ts';
import { CoreView } from '../../src/server/host/core-view.ts';
import type { LogAgent } from '../../src/server/log/log-agent.ts';
import { LogCounter, type LogLinkHandle } from '../../src/server/log/log-link.ts';
import { Counters } from '../../src/shm/counters.ts';
import { SyncedZxid } from '../../src/storage/synced-zxid.ts';
import { TxnlogAppender } from '../../src/storage/txnlog-appender.ts';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import type { EventMischief } from './event-mischief.ts';
import type { DiskLies } from './sim-disk.ts';

/** What of a machine is broken. */
export interface Mischief {
  readonly disk?: DiskLies;
  /** What becomes of events between the server and the network. */
  readonly events?: EventMischief;
  /** The log thread has staged a record. */
  readonly onAppended?: (zxid: number, link: LogLinkHandle, agent: LogAgent) => void;
}

export interface Variant extends Mischief {
  readonly name: string;
  /** Why a client would care. */
  readonly breaks: string;
  /** What the judge says of it. */
  readonly found: RegExp;
  /** Changes the server's code for the time of a run; returns what undoes it. */
  readonly patch?: () => () => void;
}

export const SOUND: Variant = { name: 'sound', breaks: 'nothing', found: /^$/ };

function holdNothingBack(): () => void {
  const intake = ConnectionTable.prototype;
  const getter = Object.getOwnPropertyDescriptor(intake, 'isHoldingBack')!;
  Object.defineProperty(intake, 'isHoldingBack', { ...getter, get: () => false });
  return () => Object.defineProperty(intake, 'isHoldingBack', getter);
}

type Asked = Parameters<PathLookup['findReadable']>;
type Accounted = Parameters<QuotaTable['account']>;

/** Another method in its place; returns what undoes it. */
function replaced(prototype: object, name: string, method: (...args: never[]) => unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(prototype, name)!;
  Object.defineProperty(prototype, name, { ...before, value: method });
  return () => Object.defineProperty(prototype, name, before);
}

export const VARIANTS: readonly Variant[] = [
  {
    name: 'ttl-cut-short',
    breaks: 'znodes go that were still to live',
    found: /before its time/,
    patch: () =>
      replaced(ContainerSweep.prototype, 'isDue', function (this: ContainerSweep) {
        return this['candidate'].childCount === 0;
      }),
  },
  {
    name: 'ttl-forgotten',
    breaks: 'znodes whose time has come pile up',
    found: /nobody ends it/,
    patch: () => {
      const undoPoll = replaced(ContainerSweep.prototype, 'poll', () => NOTHING_DUE);
      const undoDue = replaced(ContainerSweep.prototype, 'isDueAt', () => false);
      return () => {
        undoPoll();
        undoDue();
      };
    },
  },
  {
    name: 'permission-not-asked-by-writes',
    breaks: 'anybody changes what is protected',
    found: /done instead of error -102|error -?\d+ instead of -102/,
    patch: () => replaced(LatestView.prototype, 'accessTo', () => ErrorCode.ok),
  },
  {
    name: 'permission-not-asked-by-reads',
    breaks: 'anybody reads what is protected',
    found: /is told error -?\d+ instead of -102|a multiRead at zxid/,
    patch: () =>
      replaced(
        PathLookup.prototype,
        'findReadable',
        function (this: PathLookup, ...[, bytes, start, length]: Asked) {
          return this.find(bytes, start, length) ? ErrorCode.ok : ErrorCode.noNode;
        },
      ),
  },
  {
    name: 'permission-not-asked-by-events',
    breaks: 'who may not read a znode hears of its changes',
    found: /for which no watch was set/,
    patch: () => replaced(LatestView.prototype, 'permits', () => true),
  },
  {
    name: 'quota-not-asked',
    breaks: 'one application takes what belongs to all',
    found: /done instead of error -125|error -?\d+ instead of -125/,
    patch: () => replaced(QuotaTable.prototype, 'allows', () => true),
  },
  {
    name: 'quota-gives-nothing-back',
    breaks: 'who deletes may create nothing all the same',
    found: /error -125 instead of/,
    patch: () => {
      const { account } = QuotaTable.prototype;
      return replaced(QuotaTable.prototype, 'account', function (this: QuotaTable, ...change: Accounted) {
        return change[3] < 0 ? null : account.apply(this, change);
      });
    },
  },
  {
    name: 'watch-kept',
    breaks: 'a client is told of what it does not want to hear any more',
    found: /for which no watch was set|Watches of type/,
    patch: () => replaced(WatchTable.prototype, 'remove', WatchTable.prototype.has),
  },
  {
    name: 'multi-read-of-the-proposed',
    breaks: 'a client reads what a crash may still take back',
    found: /a multiRead at zxid/,
    patch: () => {
      const { answer } = MultiRead.prototype;
      return replaced(MultiRead.prototype, 'answer', function (this: MultiRead, request: never) {
        const tree = this['lookup']['tree'];
        tree.committedOf = (id) => tree.staging.latestOf(id);
        const isDone = answer.call(this, request);
        Reflect.deleteProperty(tree, 'committedOf');
        return isDone;
      });
    },
  },
  {
    name: 'word-of-the-proposed',
    breaks: 'an operator sees a zxid that a crash may still take back',
    found: /the answer to (srvr|stat) (shows|counts)/,
    patch: () => {
      const { counts } = CoreView.prototype;
      return replaced(CoreView.prototype, 'counts', function (this: CoreView) {
        return { ...counts.call(this), lastZxid: this['replica'].progress.proposed };
      });
    },
  },
  {
    name: 'directory-sync-left-out',
    breaks: 'a power loss takes back a log file, with everything that was synced inside',
    found: /was shown to a client; after a restart|was restored|records are missing|database/,
    disk: { directorySyncLeftOut: true },
  },
  {
    name: 'acknowledge-before-sync',
    breaks: 'a write is acknowledged while a power loss may still take it back',
    found: /was shown to a client; after a restart/,
    onAppended: (zxid, link, agent) => {
      new Counters(link.counters).set(LogCounter.durableZxid, zxid);
      agent['coreBell'].ring();
    },
  },
  {
    name: 'torn-tail-guessed',
    breaks: 'a bad sector is taken for a torn write, and acknowledged writes are cut off with it',
    found: /was shown to a client; after a restart/,
    patch: () => {
      // Neither marks of batches nor a bound: what is left is the guess by the look of a sector.
      const appender = TxnlogAppender.prototype;
      const { beginBatch } = appender as unknown as { beginBatch: unknown };
      const { note, set } = SyncedZxid.prototype;
      Object.assign(appender, {
        beginBatch(this: TxnlogAppender, zxid: number, _at: number, length: number): number {
          this['stagedFirst'].value = zxid;
          return length;
        },
      });
      SyncedZxid.prototype.note = () => {};
      SyncedZxid.prototype.set = () => {};
      return () => {
        Object.assign(appender, { beginBatch });
        SyncedZxid.prototype.note = note;
        SyncedZxid.prototype.set = set;
      };
    },
  },
  {
    name: 'event-after-reply',
    breaks: 'a client sees newer data before it hears of the change',
    found: /has not come; a reply/,
    events: 'late',
  },
  { name: 'event-lost', breaks: 'a client waits for ever', found: /has not come/, events: 'lost' },
  {
    name: 'event-twice',
    breaks: 'a one-shot watch fires twice',
    found: /for which no watch was set/,
    events: 'twice',
  },
  {
    name: 'ticks-while-stopping',
    breaks: 'a stopping server takes no frames, and ends the sessions that it does not hear of',
    found: /expires after a silence of/,
    patch: () => {
      const { beginStop } = CoreHost.prototype;
      CoreHost.prototype.beginStop = () => {};
      // What a stopping server does not take would be waited for, otherwise.
      const undo = holdNothingBack();
      return () => {
        CoreHost.prototype.beginStop = beginStop;
        undo();
      };
    },
  },
  {
    name: 'expiry-before-sockets',
    breaks: 'after a pause sessions end whose pings wait in the kernel',
    found: /expires after a silence of/,
    patch: () => {
      const host = CoreHost.prototype as unknown as { lookAtTime(this: CoreHost, nowMs: number): void };
      const { lookAtTime } = host;
      host.lookAtTime = function (nowMs) {
        this.replica.onHeard(nowMs);
        lookAtTime.call(this, nowMs);
      };
      return () => {
        host.lookAtTime = lookAtTime;
      };
    },
  },
];
