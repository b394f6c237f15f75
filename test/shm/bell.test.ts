import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Bell, createBell } from '../../src/shm/bell.ts';

const never = (): boolean => false;

test('parkBlocking does not sleep when there is work, when closed, or beyond its timeout', () => {
  const buffer = createBell();
  const bell = new Bell(buffer);
  bell.parkBlocking(() => true, 60_000);
  bell.parkBlocking(never, 1);
  assert.equal(bell.isClosed, false);
  new Bell(buffer).close();
  assert.ok(bell.isClosed);
  bell.parkBlocking(never, 60_000);
});

test('a bell rung from another thread ends a blocking park', async () => {
  const buffer = createBell();
  const bell = new Bell(buffer);
  const work = new Int32Array(new SharedArrayBuffer(4));
  const source = `
    const { workerData } = require('node:worker_threads');
    import(workerData.bell).then(({ Bell }) => {
      Atomics.store(workerData.work, 0, 1);
      new Bell(workerData.buffer).ring();
    });`;
  const worker = new Worker(source, {
    eval: true,
    workerData: { bell: new URL('../../src/shm/bell.ts', import.meta.url).href, buffer, work },
  });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  await new Promise((resolve) => worker.once('online', resolve));
  while (Atomics.load(work, 0) === 0) bell.parkBlocking(() => Atomics.load(work, 0) === 1, 60_000);
  assert.equal(await exited, 0);
});

test('parkAsync calls back once per ring, and parking again meanwhile changes nothing', async () => {
  const buffer = createBell();
  const bell = new Bell(buffer);
  const producer = new Bell(buffer);
  let wakes = 0;
  let awake = Promise.withResolvers<void>();
  const onWake = (): void => {
    wakes++;
    awake.resolve();
  };
  bell.parkAsync(never, onWake);
  bell.parkAsync(never, onWake);
  assert.throws(() => bell.parkAsync(never, () => {}), /wakes one consumer/);
  producer.ring();
  producer.ring();
  bell.parkAsync(never, onWake);
  assert.equal(wakes, 0, 'never inside ring or park');
  await awake.promise;
  assert.equal(wakes, 1);
  producer.ring();
  awake = Promise.withResolvers<void>();
  bell.parkAsync(never, onWake);
  producer.ring();
  await awake.promise;
  assert.equal(wakes, 2, 'a ring while awake is not remembered');
});

test('parkAsync with work at hand or a closed bell comes back through defer', () => {
  const buffer = createBell();
  const deferred: (() => void)[] = [];
  const bell = new Bell(buffer, (callback) => deferred.push(callback));
  let wakes = 0;
  const onWake = (): void => {
    wakes++;
  };
  bell.parkAsync(() => true, onWake);
  assert.equal(wakes, 0);
  deferred.pop()!();
  assert.equal(wakes, 1);
  bell.close();
  bell.parkAsync(never, onWake);
  deferred.pop()!();
  assert.equal(wakes, 2);
  assert.equal(deferred.length, 0);
});

test('the default defer is a microtask', async () => {
  const bell = new Bell(createBell());
  let wakes = 0;
  bell.parkAsync(
    () => true,
    () => {
      wakes++;
    },
  );
  await Promise.resolve();
  assert.equal(wakes, 1);
});

test('a consumer by message gets one message per sleep and ignores one that comes late', () => {
  const buffer = createBell();
  const messages: null[] = [];
  const deferred: (() => void)[] = [];
  const bell = new Bell(buffer, (callback) => deferred.push(callback), { byMessage: true });
  const producer = new Bell(buffer, undefined, {
    port: { postMessage: (message) => messages.push(message) },
  });
  let wakes = 0;
  const onWake = (): void => {
    wakes++;
  };
  producer.ring();
  assert.equal(messages.length, 0, 'nobody sleeps');
  bell.parkAsync(never, onWake);
  producer.ring();
  producer.ring();
  assert.equal(messages.length, 1);
  bell.onMessage();
  bell.onMessage();
  assert.equal(wakes, 1);
  // Rung between announcing and the second look, which finds the work: the message is then not needed.
  bell.parkAsync(() => {
    producer.ring();
    return true;
  }, onWake);
  assert.equal(messages.length, 2);
  bell.onMessage();
  assert.equal(wakes, 1);
  deferred.pop()!();
  assert.equal(wakes, 2);
});

test('a producer without a port cannot ring a consumer by message', () => {
  const buffer = createBell();
  new Bell(buffer, undefined, { byMessage: true }).parkAsync(never, () => {});
  assert.throws(() => new Bell(buffer).ring(), /has no port/);
});
