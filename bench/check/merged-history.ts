/**
 * The records of all workers as one read-only table, column by column, cut where the first recorder was full, and the
 * two orders that the rules walk in. The state before and after the run stands in it as records of its own.
 *
 *     worker 0   ########################|#####          '#' recorded, '|' the cut: the earliest refused instant
 *     worker 1   ########################|
 *                                  ^ full
 *
 *     ended before the cut     as it was recorded
 *     sent before, ended after a write is unknown, anything else is dropped
 *     sent after               dropped
 */
import { ErrorCode } from '../../src/wire/error-codes.ts';
import {
  DoubleAt,
  NO_TAG,
  OpKind,
  RECORD_DOUBLES,
  RECORD_WORDS,
  type RecordedLines,
  recordedLines,
  WordAt,
} from './history.ts';
import { firstRows, orderedBy } from './stable-order.ts';

/** Value, version and last change of a key, as a sync and a getData saw them. */
export interface KeyState {
  readonly tag: number;
  readonly version: number;
  readonly mzxid: number;
}

/** By key; null = the znode is missing. Keys that are not in it were not read. */
export type KeyStates = ReadonlyMap<number, KeyState | null>;

/** What the checker knows besides the records. */
export interface CheckContext {
  /** Before the first request; null = every key has tag 0, its version and mzxid are not known. */
  readonly initial: KeyStates | null;
  /** Read with sync and getData after the last reply; null = not read. */
  readonly final: KeyStates | null;
  /**
   * Values may be written that the history does not know: by others, by requests that are not recorded, or by writes
   * of an earlier phase that never had a reply.
   */
  readonly foreignWrites: boolean;
  /** Sessions may have watches that were armed before the history began. */
  readonly watchesBefore: boolean;
  /** How far the clocks of two workers may differ; intervals are widened by it, so that it causes no alarm. */
  readonly clockSlackUs: number;
}

/** Kinds beside OpKind, of records that no worker made. */
export const StateKind = { initial: 11, final: 12 } as const;

export const Outcome = { ok: 0, refused: 1, unknown: 2 } as const;

const NO_SESSION = 0xffffffff;
/** Has no reply: sorts behind all that have one. */
const NO_ARRIVAL = 0xffffffff;

/** Errors that leave open whether the write happened; all others say that it did not. */
const OPEN_ERRORS: ReadonlySet<number> = new Set([
  ErrorCode.systemError,
  ErrorCode.dataInconsistency,
  ErrorCode.connectionLoss,
  ErrorCode.operationTimeout,
  ErrorCode.requestTimeout,
]);

export class History {
  readonly context: CheckContext;
  /** Something was not recorded, or came too late to be judged. */
  readonly truncated: boolean;
  /** A row each; rows of one session are in the order of sending. */
  readonly kind: Uint8Array;
  readonly outcome: Uint8Array;
  readonly session: Uint32Array;
  readonly key: Int32Array;
  readonly arrival: Uint32Array;
  readonly version: Int32Array;
  readonly error: Int32Array;
  /** Since the first request; the states before and after the run lie infinitely far off. */
  readonly invokeUs: Float64Array;
  /** Infinity without a reply. */
  readonly returnUs: Float64Array;
  readonly zxid: Float64Array;
  /** NO_TAG, NO_MZXID where the reply was an error or none; a write always has its tag. */
  readonly tag: Float64Array;
  readonly mzxid: Float64Array;
  /** All rows but the states, by session and arrival; those without a reply are last in their session. */
  readonly byStream: Uint32Array;
  /** The same by key, session and arrival. */
  readonly byKeyStream: Uint32Array;
  /** Rows, states included. */
  readonly rowCount: number;
  /** Rows that a worker recorded: they come first. */
  readonly recordedCount: number;
  private readonly originUs: number;
  private readonly cutUs: number;
  private used = 0;

  /** `memories` are those of the recorders, whose workers have stopped. */
  constructor(memories: readonly SharedArrayBuffer[], context: CheckContext) {
    const recorded = memories.map(recordedLines);
    const states = [...stateEntries(context.initial), ...stateEntries(context.final)].length;
    const capacity = recorded.reduce((sum, { count }) => sum + count, states);
    this.context = context;
    this.cutUs = Math.min(...recorded.map(({ cutUs }) => cutUs), Number.POSITIVE_INFINITY);
    this.truncated = this.cutUs < Number.POSITIVE_INFINITY;
    this.originUs = firstInstant(recorded);
    this.kind = new Uint8Array(capacity);
    this.outcome = new Uint8Array(capacity);
    this.session = new Uint32Array(capacity);
    this.key = new Int32Array(capacity);
    this.arrival = new Uint32Array(capacity);
    this.version = new Int32Array(capacity);
    this.error = new Int32Array(capacity);
    this.invokeUs = new Float64Array(capacity);
    this.returnUs = new Float64Array(capacity);
    this.zxid = new Float64Array(capacity);
    this.tag = new Float64Array(capacity);
    this.mzxid = new Float64Array(capacity);
    for (const lines of recorded) for (let i = 0; i < lines.count; i++) this.addRecord(lines, i);
    this.recordedCount = this.used;
    this.addStates(context.initial, StateKind.initial);
    // Writes that were not recorded may have made it.
    if (!this.truncated) this.addStates(context.final, StateKind.final);
    this.rowCount = this.used;
    const bySession = orderedBy(orderedBy(firstRows(this.recordedCount), this.arrival), this.session);
    this.byStream = bySession;
    this.byKeyStream = orderedBy(bySession, this.key);
  }

  hasReply(row: number): boolean {
    return this.arrival[row] !== NO_ARRIVAL;
  }

  /** `first` was over before `second` began, by every worker's clock. */
  precedes(first: number, second: number): boolean {
    return this.returnUs[first]! + 2 * this.context.clockSlackUs < this.invokeUs[second]!;
  }

  private addRecord({ doubles, words }: RecordedLines, index: number): void {
    const double = (index + 1) * RECORD_DOUBLES;
    const word = (index + 1) * RECORD_WORDS;
    const invokeUs = doubles[double + DoubleAt.invokeUs]!;
    const kind = words[word + WordAt.kind]!;
    const error = words[word + WordAt.error]!;
    const arrival = words[word + WordAt.arrival]!;
    const returnUs = doubles[double + DoubleAt.returnUs]!;
    const answered = arrival > 0 && returnUs < this.cutUs - this.context.clockSlackUs;
    const changes = kind === OpKind.write || kind === OpKind.create || kind === OpKind.delete;
    if (invokeUs >= this.cutUs || (!answered && !changes)) return;
    const row = this.used++;
    this.kind[row] = kind;
    this.session[row] = words[word + WordAt.session]!;
    this.key[row] = words[word + WordAt.key]!;
    this.tag[row] = changes ? doubles[double + DoubleAt.tag]! : NO_TAG;
    this.invokeUs[row] = invokeUs - this.originUs;
    if (!answered) {
      this.arrival[row] = NO_ARRIVAL;
      this.outcome[row] = Outcome.unknown;
      this.returnUs[row] = Number.POSITIVE_INFINITY;
      return;
    }
    this.arrival[row] = arrival;
    this.outcome[row] = outcomeOf(error);
    this.returnUs[row] = returnUs - this.originUs;
    this.zxid[row] = doubles[double + DoubleAt.zxid]!;
    this.error[row] = error;
    if (error !== ErrorCode.ok) return;
    this.tag[row] = doubles[double + DoubleAt.tag]!;
    this.mzxid[row] = doubles[double + DoubleAt.mzxid]!;
    this.version[row] = words[word + WordAt.version]!;
  }

  private addStates(states: KeyStates | null, kind: number): void {
    const atUs = kind === StateKind.initial ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    for (const [key, state] of stateEntries(states)) {
      const row = this.used++;
      this.kind[row] = kind;
      this.session[row] = NO_SESSION;
      this.key[row] = key;
      this.tag[row] = state.tag;
      this.version[row] = state.version;
      this.mzxid[row] = state.mzxid;
      this.invokeUs[row] = this.returnUs[row] = atUs;
    }
  }
}

/** The keys of `states` whose znode is there. */
function* stateEntries(states: KeyStates | null): Generator<readonly [number, KeyState]> {
  for (const [key, state] of states ?? []) if (state !== null) yield [key, state];
}

function firstInstant(recorded: readonly RecordedLines[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { doubles, count } of recorded) {
    for (let i = 1; i <= count; i++) {
      first = Math.min(first, doubles[i * RECORD_DOUBLES + DoubleAt.invokeUs]!);
    }
  }
  return Number.isFinite(first) ? first : 0;
}

function outcomeOf(error: number): number {
  if (error === ErrorCode.ok) return Outcome.ok;
  return OPEN_ERRORS.has(error) ? Outcome.unknown : Outcome.refused;
}
