/**
 * Wakes a thread that has gone to sleep, and costs one atomic load when it has not. Any number of producers ring;
 * one consumer parks. A bell carries no data: work lies in rings and counters, and a wake-up means "look again",
 * so waking once too often is harmless and losing a wake-up is the only possible error.
 *
 *     parked = 0 (awake) ----- consumer: about to sleep -----> 1 or 2 (parked)
 *            ^                                                 |
 *            +---- consumer: woke up, or found work after all -+
 *            +---- producer: compareExchange(-> 0), wake up ---+     one producer wins and pays for the wake-up
 *
 *     consumer   store(parked) -> look for work again -> still none -> wait(while parked) -> store(awake)
 *     producer   make the work visible -> load -> if parked: compareExchange(-> awake) -> wake up
 *
 * Why nothing is lost. All of these are sequentially consistent, so either the producer's load comes after the
 * consumer's store and sees it parked, or the consumer's second look comes after the producer's work and finds it.
 * In the first case the word leaves "parked" before the wake-up: a consumer not yet asleep does not fall asleep
 * (`wait` compares), one asleep is woken. test/concurrency tries every order, and shows that without the second look
 * a wake-up is lost.
 *
 * An event loop can be woken in two ways: 1 = `waitAsync` and `notify`, which needs nothing but the shared word, or
 * 2 = a message on a port, which needs a channel per producer and is 4 us faster on Node 26 (7.5 against 12).
 *
 * `close` ends the consumer: it is work that never goes away.
 */
import { assert } from '../base/assert.ts';
import { controlWords, createRegion } from './region.ts';

const PARKED_WORD = 0;
/** On the same line: both words are read on the way to sleep and hardly ever written. */
const CLOSED_WORD = 1;

// Values of the parked word.
const AWAKE = 0;
const WAITS_FOR_NOTIFY = 1;
const WAITS_FOR_MESSAGE = 2;

// States of a consumer on an event loop: at work; its callback is due anyway; it must be rung.
const WORKING = 0;
const DUE = 1;
const WAITING = 2;

export function createBell(): SharedArrayBuffer {
  return createRegion(1, 0);
}

/** The sending end of a message channel; any MessagePort fits. */
export interface WakePort {
  postMessage(message: null): void;
}

/** Runs a callback soon, in a turn of its own. */
export type Defer = (callback: () => void) => void;

/** Of bells that wake an event loop by message. */
export interface BellChannel {
  /** Consumer: wait for messages, which the owner of the port passes on to `onMessage`. */
  readonly byMessage?: boolean;
  /** Producer: the way to a consumer that waits for messages. */
  readonly port?: WakePort;
}

export class Bell {
  private readonly words: Int32Array;
  private readonly defer: Defer;
  private readonly byMessage: boolean;
  private readonly port: WakePort | null;
  // Of a consumer on an event loop.
  private state = WORKING;
  private onWake: () => void = nothing;
  private readonly wake = (): void => {
    this.state = WORKING;
    Atomics.store(this.words, PARKED_WORD, AWAKE);
    this.onWake();
  };

  /** For a consumer by message: call it for each message of the port. Bound. */
  readonly onMessage = (): void => {
    // A message that was on its way when work was found has been dealt with already.
    if (this.state === WAITING) this.wake();
  };

  /**
   * `defer` is how `parkAsync` calls back when there is work at once. The default is a microtask; a thread that also
   * serves sockets passes `setImmediate`, or a ring that is never empty would keep them waiting for ever.
   */
  constructor(buffer: SharedArrayBuffer, defer: Defer = deferToMicrotask, channel: BellChannel = {}) {
    this.words = controlWords(buffer, 1);
    this.defer = defer;
    this.byMessage = channel.byMessage ?? false;
    this.port = channel.port ?? null;
  }

  /** Wakes the consumer if it sleeps. Call after the work has become visible; once per batch. */
  ring(): void {
    const parked = Atomics.load(this.words, PARKED_WORD);
    if (parked === AWAKE) return;
    if (Atomics.compareExchange(this.words, PARKED_WORD, parked, AWAKE) !== parked) return;
    if (parked === WAITS_FOR_NOTIFY) {
      Atomics.notify(this.words, PARKED_WORD, 1);
    } else {
      assert(
        this.port !== null,
        'the consumer of this bell waits for messages, and this producer has no port',
      );
      this.port.postMessage(null);
    }
  }

  /** Tells the consumer to finish; it can be seen by `isClosed` and keeps it from parking. */
  close(): void {
    Atomics.store(this.words, CLOSED_WORD, 1);
    this.ring();
  }

  get isClosed(): boolean {
    return Atomics.load(this.words, CLOSED_WORD) === 1;
  }

  /**
   * Sleeps until rung, closed or `timeoutMs` have passed; does not sleep when `hasWork` finds something. Only for
   * threads without an event loop.
   */
  parkBlocking(hasWork: () => boolean, timeoutMs: number): void {
    Atomics.store(this.words, PARKED_WORD, WAITS_FOR_NOTIFY);
    if (!hasWork() && !this.isClosed) Atomics.wait(this.words, PARKED_WORD, WAITS_FOR_NOTIFY, timeoutMs);
    Atomics.store(this.words, PARKED_WORD, AWAKE);
  }

  /**
   * The same for a thread that somebody drives by hand (the simulator): goes to sleep in name only, and the driver
   * does not call it before `isParked` is false or the time is over. False = there is work, or the end.
   */
  tryPark(hasWork: () => boolean): boolean {
    Atomics.store(this.words, PARKED_WORD, WAITS_FOR_NOTIFY);
    if (!hasWork() && !this.isClosed) return true;
    this.unpark();
    return false;
  }

  get isParked(): boolean {
    return Atomics.load(this.words, PARKED_WORD) !== AWAKE;
  }

  unpark(): void {
    Atomics.store(this.words, PARKED_WORD, AWAKE);
  }

  /**
   * The same for a thread with an event loop: returns at once and calls `onWake` once, when the bell is rung, or
   * soon if `hasWork` finds something. Calling it again before that changes nothing (the wake-up that is on its way
   * covers whatever was added since), so the end of every turn may call it. It does not keep the process alive.
   */
  parkAsync(hasWork: () => boolean, onWake: () => void): void {
    if (this.state !== WORKING) {
      assert(onWake === this.onWake, 'a bell wakes one consumer');
      return;
    }
    this.onWake = onWake;
    Atomics.store(this.words, PARKED_WORD, this.byMessage ? WAITS_FOR_MESSAGE : WAITS_FOR_NOTIFY);
    if (hasWork() || this.isClosed) {
      this.comeBackSoon();
      return;
    }
    this.state = WAITING;
    if (this.byMessage) return;
    const waiting = Atomics.waitAsync(this.words, PARKED_WORD, WAITS_FOR_NOTIFY);
    if (waiting.async) waiting.value.then(this.wake);
    else this.comeBackSoon();
  }

  private comeBackSoon(): void {
    this.state = DUE;
    this.defer(this.wake);
  }
}

function deferToMicrotask(callback: () => void): void {
  Promise.resolve().then(callback);
}

function nothing(): void {}
