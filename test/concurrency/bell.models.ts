/**
 * The bell under the explorer: consumers that park in every way while one or two producers add work and ring. A lost
 * wake-up leaves the consumer asleep for ever, which the explorer reports as stuck.
 */
import assert from 'node:assert/strict';
import { AgentLoop } from '../../src/shm/agent.ts';
import { Bell, createBell } from '../../src/shm/bell.ts';
import type { Model, Program } from './model.ts';

interface Shared {
  readonly bell: SharedArrayBuffer;
  /** Word 0: the work added so far. */
  readonly work: SharedArrayBuffer;
  /** Word 0: messages posted and not yet received. */
  readonly mailbox: SharedArrayBuffer;
}

function bellModel(...programs: readonly Program<Shared>[]): Model<Shared> {
  return {
    createShared: () => ({
      bell: createBell(),
      work: new SharedArrayBuffer(4),
      mailbox: new SharedArrayBuffer(4),
    }),
    reset: (shared) => {
      for (const buffer of Object.values(shared)) new Uint8Array(buffer).fill(0);
    },
    programs,
  };
}

function producer(items: number): Program<Shared> {
  return ({ bell, work, mailbox }) => {
    const words = new Int32Array(work);
    const letters = new Int32Array(mailbox);
    const ringer = new Bell(bell, undefined, {
      port: {
        postMessage: () => {
          Atomics.add(letters, 0, 1);
          Atomics.notify(letters, 0, 1);
        },
      },
    });
    for (let item = 0; item < items; item++) {
      Atomics.add(words, 0, 1);
      ringer.ring();
    }
  };
}

function blockingConsumer(items: number): Program<Shared> {
  return ({ bell, work }) => {
    const words = new Int32Array(work);
    const parker = new Bell(bell);
    let done = 0;
    const hasWork = (): boolean => Atomics.load(words, 0) > done;
    while (done < items) {
      done = Atomics.load(words, 0);
      if (done < items) parker.parkBlocking(hasWork, 1000);
    }
  };
}

/** Leaves out the second look for work, between announcing and sleeping. */
function carelessConsumer({ bell, work }: Shared): void {
  const words = new Int32Array(work);
  const parker = new Bell(bell);
  while (Atomics.load(words, 0) === 0) parker.parkBlocking(() => false, 1000);
}

function asyncConsumer(items: number): Program<Shared> {
  return ({ bell, work }) => {
    const words = new Int32Array(work);
    const parker = new Bell(bell);
    return new Promise((resolve) => {
      let done = 0;
      const hasWork = (): boolean => Atomics.load(words, 0) > done;
      const onWake = (): void => {
        done = Atomics.load(words, 0);
        if (done === items) resolve();
        else parker.parkAsync(hasWork, onWake);
      };
      onWake();
    });
  };
}

/** Its event loop is a mailbox: blocks until there is a message and passes it to the bell. */
function messageConsumer(items: number): Program<Shared> {
  return ({ bell, work, mailbox }) => {
    const words = new Int32Array(work);
    const letters = new Int32Array(mailbox);
    let due: (() => void) | null = null;
    const parker = new Bell(
      bell,
      (callback) => {
        due = callback;
      },
      { byMessage: true },
    );
    let done = 0;
    const hasWork = (): boolean => Atomics.load(words, 0) > done;
    const onWake = (): void => {
      done = Atomics.load(words, 0);
      if (done < items) parker.parkAsync(hasWork, onWake);
    };
    onWake();
    while (done < items) {
      const callback: (() => void) | null = due;
      due = null;
      if (callback !== null) {
        (callback as () => void)();
        continue;
      }
      while (Atomics.load(letters, 0) === 0) Atomics.wait(letters, 0, 0);
      Atomics.add(letters, 0, -1);
      parker.onMessage();
    }
  };
}

/** Adds work and closes the bell: the loop must end, and not before it has found the work. */
function closer({ bell, work }: Shared): void {
  const ringer = new Bell(bell);
  Atomics.add(new Int32Array(work), 0, 1);
  ringer.close();
}

function agentLoop({ bell, work }: Shared): void {
  const words = new Int32Array(work);
  let done = 0;
  let closed = false;
  new AgentLoop({
    agent: {
      role: 'explored',
      doWork: () => {
        const found = Atomics.load(words, 0) - done;
        done += found;
        return found;
      },
      onClose: () => {
        closed = true;
      },
    },
    bell: new Bell(bell),
    hasWork: () => Atomics.load(words, 0) > done,
    nowMs: () => 0,
    parkMsMax: 1000,
  }).run();
  assert.ok(closed);
  assert.equal(done, 1, 'work handed over before closing is done');
}

export const models: Readonly<Record<string, Model<Shared>>> = {
  blocking: bellModel(producer(2), blockingConsumer(2)),
  twoProducers: bellModel(producer(1), producer(1), blockingConsumer(2)),
  async: bellModel(producer(2), asyncConsumer(2)),
  twoProducersAsync: bellModel(producer(1), producer(1), asyncConsumer(2)),
  byMessage: bellModel(producer(2), messageConsumer(2)),
  closing: bellModel(closer, agentLoop),
  noSecondLook: bellModel(producer(1), carelessConsumer),
};
