/**
 * Node's time and chance in the hands of a world, for what runs beside the simulated server in this process: the client's
 * driver, which is the only one of its files that knows a clock, and recipes with a bound in time. Promises have their turn
 * between the steps of the world, so a seed is a run. Nothing else may run in the process meanwhile.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { World } from '../world.ts';

type Callback = (...args: unknown[]) => void;

/** Something that Node's own would have too. */
interface Timer {
  unref(): Timer;
  ref(): Timer;
}

/** Returns how to give it back. */
export function takeTime(world: World): () => void {
  const own = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
    nextTick: process.nextTick,
    now: performance.now,
    dateNow: Date.now,
    random: Math.random,
    randomUUID: crypto.randomUUID,
  };
  const pending = new Set<Timer>();
  const start = (callback: Callback, ms: number, args: unknown[], isRepeated: boolean): Timer => {
    const timer: Timer = { unref: () => timer, ref: () => timer };
    pending.add(timer);
    const next = (): void =>
      world.after(Math.max(1, ms), () => {
        if (!pending.has(timer)) return;
        if (isRepeated) next();
        else pending.delete(timer);
        callback(...args);
      });
    next();
    return timer;
  };
  const clear = (timer: unknown): void => void pending.delete(timer as Timer);
  Object.assign(globalThis, {
    setTimeout: (callback: Callback, ms = 0, ...args: unknown[]) => start(callback, ms, args, false),
    setInterval: (callback: Callback, ms = 0, ...args: unknown[]) => start(callback, ms, args, true),
    clearTimeout: clear,
    clearInterval: clear,
  });
  // Between the steps of the world there is no end of a turn but that of its promises.
  process.nextTick = (callback: Callback, ...args: unknown[]) => queueMicrotask(() => callback(...args));
  performance.now = () => world.nowMs;
  Date.now = () => world.wallMs;
  Math.random = () => world.prng.fraction();
  crypto.randomUUID = () => uuidOf(world);
  syncBuiltinESMExports();
  return () => {
    const { setTimeout, clearTimeout, setInterval, clearInterval } = own;
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
    process.nextTick = own.nextTick;
    performance.now = own.now;
    Date.now = own.dateNow;
    Math.random = own.random;
    crypto.randomUUID = own.randomUUID;
    syncBuiltinESMExports();
  };
}

function uuidOf({ prng }: World): ReturnType<typeof crypto.randomUUID> {
  const hex = Array.from({ length: 32 }, () => prng.below(16).toString(16)).join('');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.join('-') as ReturnType<typeof crypto.randomUUID>;
}
