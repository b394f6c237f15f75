/**
 * One round trip between two threads that are both asleep when it begins: ping, wake-up, pong, wake-up; for
 * each way in which a thread can wait.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { Bell, createBell } from '../../src/shm/bell.ts';
import { Counters, createCounters } from '../../src/shm/counters.ts';
import { type BellEchoSetup, PING, PONG } from './bell-echo.ts';
import { type MicroResult, measure, measureAcrossThreads, runIfMain } from './harness.ts';

type Mode = BellEchoSetup['mode'];

const PAIRS: readonly (readonly [near: Mode, far: Mode])[] = [
  ['blocking', 'blocking'],
  ['async', 'blocking'],
  ['async', 'async'],
  ['message', 'blocking'],
  ['message', 'message'],
];

export async function benchBell(iterations: number): Promise<MicroResult[]> {
  const awake = new Bell(createBell());
  const results = [
    measure('bell ring, consumer awake', iterations * 20, (count) => {
      for (let i = 0; i < count; i++) awake.ring();
    }),
  ];
  for (const [near, far] of PAIRS) results.push(await roundTrip(near, far, iterations));
  return results;
}

async function roundTrip(near: Mode, far: Mode, iterations: number): Promise<MicroResult> {
  const { port1, port2 } = new MessageChannel();
  const setup: BellEchoSetup = {
    mode: far,
    counters: createCounters(['ping', 'pong']),
    pingBell: createBell(),
    pongBell: createBell(),
    port: port2,
  };
  const worker = new Worker(new URL('./bell-echo.ts', import.meta.url), {
    workerData: setup,
    transferList: [port2],
  });
  await new Promise((resolve) => worker.once('online', resolve));
  const counters = new Counters(setup.counters);
  const ping = new Bell(setup.pingBell, undefined, { port: port1 });
  const pong = new Bell(setup.pongBell, setImmediate, { byMessage: near === 'message' });
  if (near === 'message') port1.on('message', pong.onMessage);
  const answered = (): boolean => counters.get(PONG) === counters.get(PING);
  const send = (): void => {
    counters.add(PING, 1);
    ping.ring();
  };
  const blocking = (count: number): void => {
    for (let left = count; left > 0; left--) {
      send();
      while (!answered()) pong.parkBlocking(answered, 1000);
    }
  };
  const onEventLoop = (count: number): Promise<void> =>
    new Promise((resolve) => {
      let left = count;
      const onWake = (): void => {
        if (answered() && left-- === 0) {
          resolve();
          return;
        }
        if (answered()) send();
        pong.parkAsync(answered, onWake);
      };
      onWake();
    });
  const result = await measureAcrossThreads(
    `bell round trip, ${near} - ${far}`,
    iterations,
    async (count) => {
      if (near === 'blocking') blocking(count);
      else await onEventLoop(count);
    },
  );
  ping.close();
  await new Promise((resolve) => worker.once('exit', resolve));
  port1.close();
  return result;
}

await runIfMain(import.meta.url, benchBell, 20_000);
