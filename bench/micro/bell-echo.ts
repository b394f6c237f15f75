/** The far end of the bell benchmark: answers every ping, waiting in the way its setup asks for. */
import { isMainThread, type MessagePort, workerData } from 'node:worker_threads';
import { Bell } from '../../src/shm/bell.ts';
import { Counters, type CountersHandle } from '../../src/shm/counters.ts';

export const PING = 0;
export const PONG = 1;

export interface BellEchoSetup {
  /** How the thread waits: in `Atomics.wait`, or on its event loop for `waitAsync` or for a message. */
  readonly mode: 'blocking' | 'async' | 'message';
  readonly counters: CountersHandle;
  readonly pingBell: SharedArrayBuffer;
  readonly pongBell: SharedArrayBuffer;
  readonly port: MessagePort;
}

function echo(setup: BellEchoSetup): void {
  const counters = new Counters(setup.counters);
  const bell = new Bell(setup.pingBell, setImmediate, { byMessage: setup.mode === 'message' });
  const back = new Bell(setup.pongBell, undefined, { port: setup.port });
  const hasWork = (): boolean => counters.get(PING) !== counters.get(PONG);
  const answer = (): void => {
    counters.set(PONG, counters.get(PING));
    back.ring();
  };
  if (setup.mode === 'blocking') {
    while (!bell.isClosed) {
      if (hasWork()) answer();
      else bell.parkBlocking(hasWork, 1000);
    }
    return;
  }
  const keepAlive = setInterval(() => {}, 60_000);
  const onWake = (): void => {
    if (hasWork()) answer();
    if (!bell.isClosed) {
      bell.parkAsync(hasWork, onWake);
      return;
    }
    clearInterval(keepAlive);
    setup.port.close();
  };
  if (setup.mode === 'message') setup.port.on('message', bell.onMessage);
  bell.parkAsync(hasWork, onWake);
}

if (!isMainThread) echo(workerData as BellEchoSetup);
