/**
 * One thread of an exploration: replaces the global `Atomics`, then runs its program once per execution.
 *
 * Before every access the thread announces it and asks the schedule who goes on; `wait` and `waitAsync` put it to
 * sleep in the schedule's books and not in the system. A program that returns a promise lives on the event loop: when
 * all its callbacks have run and it has not ended, it sleeps until its `waitAsync` is notified.
 */
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import type { Model, Step, ThreadSetup } from './model.ts';
import { NO_ADDRESS, Schedule, ThreadState } from './schedule.ts';

const setup = workerData as ThreadSetup;
const me = setup.thread;
const schedule = new Schedule(setup.control);
const real = Atomics;

/** Thrown through the program when the controller has seen enough of this execution. */
class Abandoned extends Error {}

/** Addresses of plain accesses, apart from those of buffers. */
const PLACE_BASE = 1 << 30;
const BUFFER_STRIDE = 1 << 24;

// The shared buffers in the order in which they are found, which is the same in every thread.
const buffers: SharedArrayBuffer[] = [];

/** Only the program is explored, not what the runtime does around it. */
let exploring = false;
/** The pending `waitAsync`, if any. */
let sleeper: { readonly address: number; readonly wake: (value: 'ok') => void } | null = null;

function addressOf(array: Int32Array, index: number): number {
  const buffer = buffers.indexOf(array.buffer as SharedArrayBuffer);
  return buffer * BUFFER_STRIDE + array.byteOffset / 4 + index;
}

/** The point of interleaving before a shared access. */
function step(address: number, writes: boolean): void {
  if (!exploring) return;
  if (sleeper !== null)
    throw new Error('accesses between waitAsync and the end of the turn are not modelled');
  schedule.announce(me, address, writes);
  giveWay();
}

function giveWay(): void {
  if (!schedule.abandoned) schedule.handOver(me, schedule.next(me));
  if (schedule.abandoned) throw new Abandoned();
}

/** Sleeps until another thread notifies `address`. */
function sleepUntilNotified(address: number): void {
  schedule.announce(me, address, false);
  schedule.setState(me, ThreadState.waiting);
  giveWay();
}

const explored = {
  load(array: Int32Array, index: number): number {
    step(addressOf(array, index), false);
    return real.load(array, index);
  },
  store(array: Int32Array, index: number, value: number): number {
    step(addressOf(array, index), true);
    return real.store(array, index, value);
  },
  add(array: Int32Array, index: number, value: number): number {
    step(addressOf(array, index), true);
    return real.add(array, index, value);
  },
  compareExchange(array: Int32Array, index: number, expected: number, value: number): number {
    step(addressOf(array, index), true);
    return real.compareExchange(array, index, expected, value);
  },
  notify(array: Int32Array, index: number): number {
    const address = addressOf(array, index);
    step(address, true);
    for (let thread = 0; thread < schedule.threads; thread++) {
      if (!schedule.isWaiting(thread) || schedule.addressOf(thread) !== address) continue;
      schedule.setState(thread, ThreadState.ready);
      schedule.announce(thread, NO_ADDRESS, false);
      return 1;
    }
    return 0;
  },
  wait(array: Int32Array, index: number, value: number): 'ok' | 'not-equal' {
    const address = addressOf(array, index);
    // Falling asleep and being notified do not commute, hence "writes".
    step(address, true);
    if (real.load(array, index) !== value) return 'not-equal';
    sleepUntilNotified(address);
    return 'ok';
  },
  waitAsync(array: Int32Array, index: number, value: number) {
    const address = addressOf(array, index);
    step(address, true);
    if (real.load(array, index) !== value) return { async: false, value: 'not-equal' };
    const { promise, resolve } = Promise.withResolvers<'ok'>();
    sleeper = { address, wake: resolve };
    return { async: true, value: promise };
  },
};

const declared: Step = {
  access(place, writes) {
    step(PLACE_BASE + place, writes);
  },
};

/** Runs one execution of the program to its end, with the token in hand. */
async function runProgram(model: Model<unknown>): Promise<void> {
  let failed: unknown = null;
  let ended = false;
  asyncFailure = null;
  sleeper = null;
  exploring = true;
  try {
    const result = model.programs[me]!(setup.shared, declared);
    if (result instanceof Promise) {
      result.then(
        () => {
          ended = true;
        },
        (error) => {
          asyncFailure = error;
        },
      );
      await liveOnEventLoop(() => ended);
    }
  } catch (error) {
    failed = error;
  }
  exploring = false;
  if (failed !== null && !(failed instanceof Abandoned)) schedule.fail(String(failed));
}

/** A throw in a callback of the program. */
let asyncFailure: unknown = null;
process.on('unhandledRejection', (error) => {
  asyncFailure = error;
});

async function liveOnEventLoop(ended: () => boolean): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (asyncFailure !== null) throw asyncFailure;
    if (ended()) return;
    if (sleeper === null) throw new Error('the program waits for nothing');
    const { address, wake } = sleeper;
    sleeper = null;
    sleepUntilNotified(address);
    wake('ok');
  }
}

function collectBuffers(value: unknown): void {
  if (value instanceof SharedArrayBuffer) buffers.push(value);
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collectBuffers);
}

async function main(): Promise<void> {
  const module = (await import(setup.url)) as { readonly models: Readonly<Record<string, Model<unknown>>> };
  collectBuffers(setup.shared);
  Object.defineProperty(globalThis, 'Atomics', { value: explored });
  parentPort!.postMessage('ready');
  for (;;) {
    schedule.take(me);
    if (schedule.closed) break;
    if (!schedule.abandoned) await runProgram(module.models[setup.name]!);
    schedule.setState(me, ThreadState.finished);
    schedule.give(schedule.next(me));
  }
}

await main();
