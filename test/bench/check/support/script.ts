/**
 * Histories written by hand: requests and events in any order, recorded in the order of their instants (microseconds),
 * as a generator would. Zxids of one key count 1, 2, 3 ..., so a write's version defaults to its zxid, and a read's
 * version and mzxid to those of the write it saw.
 */
import { checkHistory } from '../../../../bench/check/check.ts';
import { HistoryRecorder, NO_MZXID, NO_TAG, NO_VERSION, OpKind } from '../../../../bench/check/history.ts';
import type { CheckContext, KeyStates } from '../../../../bench/check/merged-history.ts';
import type { CheckResult } from '../../../../bench/result/run-json.ts';
import { EventType } from '../../../../src/wire/watch-event.ts';

export interface Reply {
  /** Of the header; a write's is its mzxid. */
  readonly zxid?: number;
  readonly mzxid?: number;
  readonly version?: number;
  readonly error?: number;
  readonly key?: number;
  /** Which generator worker sent it. */
  readonly worker?: number;
}

interface Step {
  readonly atUs: number;
  readonly worker: number;
  readonly run: (recorder: HistoryRecorder) => void;
}

type Options = Partial<Omit<CheckContext, 'final'>>;

export class Script {
  private readonly steps: Step[] = [];
  private readonly written = new Map<number, { version: number; mzxid: number }>();

  /** `toUs` null: no reply. */
  write(session: number, tag: number, fromUs: number, toUs: number | null, reply: Reply = {}): this {
    const mzxid = reply.mzxid ?? reply.zxid ?? NO_MZXID;
    const version = reply.version ?? (mzxid === NO_MZXID ? NO_VERSION : mzxid);
    this.written.set(tag, { version, mzxid });
    return this.request(session, OpKind.write, tag, NO_TAG, fromUs, toUs, { mzxid, version, ...reply });
  }

  read(session: number, tag: number, fromUs: number, toUs: number | null, reply: Reply = {}): this {
    return this.seen(session, OpKind.read, tag, fromUs, toUs, reply);
  }

  freshRead(session: number, tag: number, fromUs: number, toUs: number | null, reply: Reply = {}): this {
    return this.seen(session, OpKind.freshRead, tag, fromUs, toUs, reply);
  }

  watch(session: number, tag: number, fromUs: number, toUs: number | null, reply: Reply = {}): this {
    return this.seen(session, OpKind.watchSet, tag, fromUs, toUs, reply);
  }

  /** A request whose reply carries no value. */
  plain(session: number, kind: OpKind, fromUs: number, toUs: number | null, reply: Reply = {}): this {
    return this.request(session, kind, NO_TAG, NO_TAG, fromUs, toUs, reply);
  }

  event(session: number, atUs: number, type: number = EventType.nodeDataChanged, reply: Reply = {}): this {
    return this.at(atUs, reply.worker ?? 0, (recorder) =>
      recorder.event(session, reply.key ?? 0, type, reply.zxid ?? -1, atUs),
    );
  }

  /** The recorders' memories: large enough. */
  record(): SharedArrayBuffer[] {
    const capacity = this.steps.length + 1;
    const workers = Math.max(0, ...this.steps.map(({ worker }) => worker)) + 1;
    const memories = Array.from({ length: workers }, () => HistoryRecorder.allocate(capacity));
    const recorders = memories.map((memory) => new HistoryRecorder(memory));
    for (const { worker, run } of this.steps.toSorted((a, b) => a.atUs - b.atUs)) run(recorders[worker]!);
    return memories;
  }

  check(options: Options = {}, final: KeyStates | null = null): CheckResult {
    return checkHistory(this.record(), final, { clockSlackUs: 0, ...options });
  }

  private seen(
    session: number,
    kind: OpKind,
    tag: number,
    fromUs: number,
    toUs: number | null,
    reply: Reply,
  ): this {
    return this.request(session, kind, NO_TAG, tag, fromUs, toUs, { ...this.written.get(tag), ...reply });
  }

  private request(
    session: number,
    kind: OpKind,
    sentTag: number,
    readTag: number,
    fromUs: number,
    toUs: number | null,
    reply: Reply,
  ): this {
    const { worker = 0, key = 0, mzxid = NO_MZXID, version = NO_VERSION, error = 0 } = reply;
    const zxid = reply.zxid ?? mzxid;
    let slot = 0;
    this.at(fromUs, worker, (recorder) => {
      slot = recorder.invoke(session, kind, key, sentTag, fromUs);
    });
    if (toUs === null) return this;
    return this.at(toUs, worker, (recorder) => {
      recorder.complete(slot, toUs, zxid, readTag, version, mzxid, error);
    });
  }

  private at(atUs: number, worker: number, run: (recorder: HistoryRecorder) => void): this {
    this.steps.push({ atUs, worker, run });
    return this;
  }
}

/** Names of the rules that a history breaks. */
export function brokenRules(result: CheckResult): string[] {
  return result.rules.filter(({ violations }) => violations > 0).map(({ rule }) => rule);
}

/** The examples of all broken rules. */
export function examplesOf(result: CheckResult): string[] {
  return result.rules.flatMap(({ examples }) => examples);
}

export const Rule = {
  requestOrder: 'replies in request order',
  zxids: 'zxids never go back',
  reads: 'reads never go back',
  values: 'values read were written',
  writeOrder: 'one order of writes',
  lost: 'no acknowledged write lost',
  linearizable: 'linearizable writes and sync + reads',
  once: 'watches fire exactly once',
  eventFirst: 'event before newer data',
  ownZnodes: 'creates and deletes fit together',
} as const;
