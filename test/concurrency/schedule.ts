/**
 * Who takes the next step: the part of the interleaving explorer that the controller and its threads share. All of
 * it lives in one block of shared memory, and only the side that holds the token touches it: exactly one of the
 * threads and the controller runs at any time, the others sleep until the token is handed to them.
 *
 * A step is one shared access and everything up to the next one. Before each access a thread says what it is about
 * to do and asks `next` who goes on; every decision is recorded, so that the controller can go back to it.
 *
 * Orders that differ only in the order of independent steps lead to the same states. Sleep sets (Godefroid) leave
 * them out: having tried a thread at a decision, the other branches keep it asleep until a step comes that depends
 * on its pending one. A branch in which everybody sleeps repeats an earlier one and is abandoned. This loses no
 * deadlock and no failed check.
 */

const THREADS_MAX = 4;
const STEPS_MAX = 400;

/** Receiver of the token when no thread may run. */
export const CONTROLLER: number = THREADS_MAX;

export const Outcome = { running: 0, finished: 1, stuck: 2, redundant: 3, failed: 4, tooLong: 5 } as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export const ThreadState = { ready: 0, waiting: 1, finished: 2 } as const;

/** A step that depends on no other: the first one of a thread, or waking up. */
export const NO_ADDRESS = -1;

// Words of the control block.
const STEPS = 0;
const PREFIX_LENGTH = 1;
const PREFIX_SLEEP = 2;
const SLEEP = 3;
const OUTCOME = 4;
const ABANDON = 5;
const THREADS = 6;
const CLOSED = 7;
const TOKENS = 16;
const STATES = 32;
const ADDRESSES = 48;
const WRITES = 64;
const PREFIX = 128;
const TRACE = PREFIX + STEPS_MAX;
const TRACE_STEP = 3 + 2 * THREADS_MAX;
const FAILURE_TEXT = TRACE + STEPS_MAX * TRACE_STEP;
const FAILURE_BYTES_MAX = 4096;

/** One decision as it was recorded: bit i of a mask is thread i. */
export interface Decision {
  readonly chosen: number;
  readonly enabled: number;
  readonly asleep: number;
  readonly operations: readonly Operation[];
}

/** What a thread is about to do. */
export interface Operation {
  readonly address: number;
  readonly writes: boolean;
}

// The explorer's own use of Atomics must not be taken for the explored code's.
const real = Atomics;

export function createControl(threads: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(FAILURE_TEXT * 4 + FAILURE_BYTES_MAX);
  new Int32Array(buffer)[THREADS] = threads;
  return buffer;
}

export class Schedule {
  readonly threads: number;
  private readonly words: Int32Array;
  private readonly text: Uint8Array;

  constructor(control: SharedArrayBuffer) {
    this.words = new Int32Array(control, 0, FAILURE_TEXT);
    this.text = new Uint8Array(control, FAILURE_TEXT * 4);
    this.threads = this.words[THREADS]!;
  }

  /** Controller: prepares an execution that repeats `prefix` and goes on freely with `sleep` asleep. */
  begin(prefix: readonly number[], sleep: number): void {
    this.words.fill(0, 0, THREADS);
    this.words.fill(0, STATES, PREFIX);
    this.words.fill(NO_ADDRESS, ADDRESSES, ADDRESSES + THREADS_MAX);
    this.words[PREFIX_LENGTH] = prefix.length;
    this.words[PREFIX_SLEEP] = sleep;
    this.words.set(prefix, PREFIX);
  }

  /** Decides who takes the next step; the controller when nobody can, with the outcome set. */
  next(running: number): number {
    const words = this.words;
    if (words[OUTCOME] !== Outcome.running) return CONTROLLER;
    const enabled = this.enabled();
    const step = words[STEPS]!;
    const asleep = words[SLEEP]!;
    const free = step >= words[PREFIX_LENGTH]!;
    const awake = enabled & ~asleep;
    if (enabled === 0) this.outcome = this.allFinished() ? Outcome.finished : Outcome.stuck;
    else if (step === STEPS_MAX) this.outcome = Outcome.tooLong;
    else if (free && awake === 0) this.outcome = Outcome.redundant;
    if (words[OUTCOME] !== Outcome.running) return CONTROLLER;
    let chosen = words[PREFIX + step]!;
    if (free) chosen = (awake & (1 << running)) !== 0 ? running : 31 - Math.clz32(awake & -awake);
    this.record(step, chosen, enabled, asleep);
    words[STEPS] = step + 1;
    if (free) words[SLEEP] = this.stillAsleep(asleep, chosen);
    else if (step + 1 === words[PREFIX_LENGTH]) words[SLEEP] = words[PREFIX_SLEEP]!;
    return chosen;
  }

  /** Passes the token on and sleeps until it comes back; the two may be the same. */
  handOver(from: number, to: number): void {
    if (from === to) return;
    this.give(to);
    this.take(from);
  }

  give(to: number): void {
    real.store(this.words, TOKENS + to, 1);
    real.notify(this.words, TOKENS + to, 1);
  }

  take(own: number): void {
    while (real.exchange(this.words, TOKENS + own, 0) === 0) real.wait(this.words, TOKENS + own, 0);
  }

  announce(thread: number, address: number, writes: boolean): void {
    this.words[ADDRESSES + thread] = address;
    this.words[WRITES + thread] = writes ? 1 : 0;
  }

  setState(thread: number, state: number): void {
    this.words[STATES + thread] = state;
  }

  isWaiting(thread: number): boolean {
    return this.words[STATES + thread] === ThreadState.waiting;
  }

  isFinished(thread: number): boolean {
    return this.words[STATES + thread] === ThreadState.finished;
  }

  addressOf(thread: number): number {
    return this.words[ADDRESSES + thread]!;
  }

  get outcome(): Outcome {
    return this.words[OUTCOME] as Outcome;
  }

  set outcome(outcome: Outcome) {
    this.words[OUTCOME] = outcome;
  }

  /** Ends the execution with a failed check. */
  fail(message: string): void {
    this.text.fill(0);
    this.text.set(new TextEncoder().encode(message).subarray(0, FAILURE_BYTES_MAX));
    this.outcome = Outcome.failed;
  }

  get failure(): string {
    return new TextDecoder().decode(this.text.slice(0, this.text.indexOf(0)));
  }

  /** Every thread that gets the token now gives up its execution. */
  get abandoned(): boolean {
    return this.words[ABANDON] === 1;
  }

  abandon(): void {
    this.words[ABANDON] = 1;
  }

  /** Threads that get the token now end. */
  get closed(): boolean {
    return this.words[CLOSED] === 1;
  }

  close(): void {
    this.words[CLOSED] = 1;
  }

  get stepCount(): number {
    return this.words[STEPS]!;
  }

  decision(step: number): Decision {
    const at = TRACE + step * TRACE_STEP;
    const operations: Operation[] = [];
    for (let thread = 0; thread < this.threads; thread++) {
      const operation = at + 3 + thread * 2;
      operations.push({ address: this.words[operation]!, writes: this.words[operation + 1] === 1 });
    }
    return {
      chosen: this.words[at]!,
      enabled: this.words[at + 1]!,
      asleep: this.words[at + 2]!,
      operations,
    };
  }

  private record(step: number, chosen: number, enabled: number, asleep: number): void {
    const at = TRACE + step * TRACE_STEP;
    this.words[at] = chosen;
    this.words[at + 1] = enabled;
    this.words[at + 2] = asleep;
    for (let thread = 0; thread < this.threads; thread++) {
      this.words[at + 3 + thread * 2] = this.words[ADDRESSES + thread]!;
      this.words[at + 4 + thread * 2] = this.words[WRITES + thread]!;
    }
  }

  private enabled(): number {
    let mask = 0;
    for (let thread = 0; thread < this.threads; thread++) {
      if (this.words[STATES + thread] === ThreadState.ready) mask |= 1 << thread;
    }
    return mask;
  }

  private allFinished(): boolean {
    for (let thread = 0; thread < this.threads; thread++) {
      if (this.words[STATES + thread] !== ThreadState.finished) return false;
    }
    return true;
  }

  private stillAsleep(asleep: number, chosen: number): number {
    let mask = asleep;
    for (let thread = 0; thread < this.threads; thread++) {
      if ((mask & (1 << thread)) === 0) continue;
      if (dependent(this.operation(thread), this.operation(chosen))) mask &= ~(1 << thread);
    }
    return mask;
  }

  private operation(thread: number): Operation {
    return { address: this.words[ADDRESSES + thread]!, writes: this.words[WRITES + thread] === 1 };
  }
}

export function dependent(a: Operation, b: Operation): boolean {
  return a.address !== NO_ADDRESS && a.address === b.address && (a.writes || b.writes);
}
