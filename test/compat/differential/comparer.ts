/**
 * Decides whether the subject's answer to a step equals the oracle's. The deliberate differences that a random run
 * can meet are understood here, each as narrowly as it can be stated; everything else that differs is a finding.
 */
import { isDeepStrictEqual } from 'node:util';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode, WatcherType } from '../../../src/wire/opcodes.ts';
import type { NormalEvent, NormalFrame, NormalReply } from './normaliser.ts';
import type { Request, Step } from './step.ts';

/** What one connection received in a step. */
export interface Received {
  readonly slot: number;
  readonly frames: readonly NormalFrame[];
  readonly closed: boolean;
}

export interface StepOutcome {
  /** The answer to a handshake, or undefined. */
  readonly connect: Readonly<Record<string, unknown>> | undefined;
  /** The acting connection first, then every other open one. */
  readonly received: readonly Received[];
  /** The highest zxid known before and after the step. */
  readonly zxidBefore: number;
  readonly zxidAfter: number;
}

/** A sentence that says what differs, or undefined. */
export function difference(step: Step, oracle: StepOutcome, subject: StepOutcome): string | undefined {
  if (!isDeepStrictEqual(oracle.connect, subject.connect)) {
    return `handshake: ${JSON.stringify(oracle.connect)} versus ${JSON.stringify(subject.connect)}`;
  }
  const requests = step.kind === 'requests' ? step.requests : [];
  const unordered = requests.some((request) => request.op === OpCode.closeSession);
  for (let i = 0; i < oracle.received.length; i++) {
    const a = oracle.received[i]!;
    const b = subject.received[i]!;
    const framesA = unordered ? sortEventRuns(a.frames) : a.frames;
    const framesB = unordered ? sortEventRuns(b.frames) : b.frames;
    for (let j = 0; j < Math.max(framesA.length, framesB.length); j++) {
      const reason = frameDifference(requests, framesA[j], framesB[j], subject);
      if (reason !== undefined) return `slot ${a.slot}, frame ${j}: ${reason}`;
    }
    if (a.closed !== b.closed) return `slot ${a.slot}: closed ${a.closed} versus ${b.closed}`;
  }
  return undefined;
}

function frameDifference(
  requests: readonly Request[],
  oracle: NormalFrame | undefined,
  subject: NormalFrame | undefined,
  outcome: StepOutcome,
): string | undefined {
  if (oracle === undefined) return 'only the subject sent this frame';
  if (subject === undefined) return 'only the oracle sent this frame';
  if ('event' in oracle) {
    if (!('event' in subject)) return 'an event versus a reply';
    return eventDifference(oracle, subject, outcome);
  }
  if ('event' in subject) return 'a reply versus an event';
  if (isDeepStrictEqual(oracle, subject)) return undefined;
  const request = requests.find((candidate) => candidate.xid === oracle.xid);
  if (request !== undefined && isDeliberate(request, oracle, subject)) return undefined;
  return 'the replies differ';
}

/** `event-zxid`: ours names the transaction that fired it; catch-up events of setWatches carry -1 in both. */
function eventDifference(
  oracle: NormalEvent,
  subject: NormalEvent,
  outcome: StepOutcome,
): string | undefined {
  if (oracle.event !== subject.event || oracle.state !== subject.state || oracle.path !== subject.path) {
    return 'the events differ';
  }
  if (subject.zxid === oracle.zxid) return undefined;
  const fromThisStep = subject.zxid > outcome.zxidBefore && subject.zxid <= outcome.zxidAfter;
  return fromThisStep ? undefined : `event zxid ${subject.zxid} is none of this step's transactions`;
}

function isDeliberate(request: Request, oracle: NormalReply, subject: NormalReply): boolean {
  if (oracle.xid !== subject.xid || oracle.zxid !== subject.zxid) return false;
  switch (request.op) {
    // `exists-needs-read`
    case OpCode.exists:
      return request.existsDenied === true && oracle.err === ErrorCode.ok && subject.err === ErrorCode.noAuth;
    // `watcher-types`: the generator asks only where there is nothing to remove.
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      return (
        oracle.err === ErrorCode.marshallingError &&
        subject.err === ErrorCode.noWatcher &&
        isNewWatcherType(request.body)
      );
    // `create2-in-multi`
    case OpCode.multi:
      return oracle.err === subject.err && multiResultsEqual(oracle.body, subject.body);
    default:
      return false;
  }
}

function isNewWatcherType(body: Uint8Array): boolean {
  const type = new DataView(body.buffer, body.byteOffset).getInt32(body.length - 4);
  return type === WatcherType.persistent || type === WatcherType.persistentRecursive;
}

function multiResultsEqual(oracle: unknown, subject: unknown): boolean {
  if (!Array.isArray(oracle) || !Array.isArray(subject) || oracle.length !== subject.length) return false;
  return oracle.every((result: MultiResult, index) => {
    const other = subject[index] as MultiResult;
    if (isDeepStrictEqual(result, other)) return true;
    const widened = result.type === OpCode.create && other.type === OpCode.create2;
    return widened && result.err === other.err && result.result?.path === other.result?.path;
  });
}

interface MultiResult {
  readonly type: number;
  readonly err: number;
  readonly result?: { readonly path: string | null };
}

/** The ephemerals of a closing session go in no defined order: events between two replies compare as a set. */
function sortEventRuns(frames: readonly NormalFrame[]): NormalFrame[] {
  const sorted: NormalFrame[] = [];
  let run: NormalEvent[] = [];
  const flush = (): void => {
    sorted.push(...run.sort((a, b) => `${a.path} ${a.event}`.localeCompare(`${b.path} ${b.event}`)));
    run = [];
  };
  for (const frame of frames) {
    if ('event' in frame) run.push(frame);
    else {
      flush();
      sorted.push(frame);
    }
  }
  flush();
  return sorted;
}
