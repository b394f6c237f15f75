/**
 * Waiting, as every recipe does it: for one event of a watch, for a time, until somebody says stop. What wakes a waiter is
 * only a hint; it reads again.
 */
import { type Changed, isZk, type NodeEvent } from '../../client/index.ts';
import { AcquireTimeoutError } from './errors.ts';

export interface WaitOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** A signal that fires when any of those given does; undefined when none is given. */
export function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((one) => one !== undefined);
  return given.length > 1 ? AbortSignal.any(given) : given[0];
}

/** Runs `wait` with a signal that also fires after `timeoutMs`. @throws AcquireTimeoutError, or the signal's reason. */
export async function within<T>(
  path: string,
  options: WaitOptions,
  wait: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const { signal, timeoutMs } = options;
  const late = new AbortController();
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => late.abort(), timeoutMs);
  try {
    return await wait(anyOf(signal, timeoutMs === undefined ? undefined : late.signal));
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (late.signal.aborted) throw new AcquireTimeoutError(path, timeoutMs!);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the event. null: the session that watched ended first. @throws the signal's reason; the watch is given up. */
export async function untilChanged(
  changed: Changed,
  signal: AbortSignal | undefined,
): Promise<NodeEvent | null> {
  try {
    return await orAborted(changed, signal, () => changed[Symbol.dispose]());
  } catch (error) {
    if (isZk(error, 'SESSIONEXPIRED')) return null;
    throw error;
  }
}

/** `promise`, unless the signal fires first. @throws its reason, after `onAbort`. */
export async function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort: () => void = () => undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const listener = (): void => {
    onAbort();
    reject(signal.reason);
  };
  signal.addEventListener('abort', listener, { once: true });
  if (signal.aborted) listener();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', listener);
  }
}

/** Whether a read was cut off by the end of its session: to be asked again in the next. */
export function isSessionEnd(error: unknown): boolean {
  return isZk(error, 'SESSIONEXPIRED') || isZk(error, 'SESSIONLOST');
}

/**
 * Whether the same may be asked again at once after this: the connection or the session broke. Not when the queue is full,
 * the request too large or the client closed: nothing would change before the next turn, and a loop would keep that away.
 */
export function mayTryAgain(error: unknown): boolean {
  if (isSessionEnd(error)) return true;
  return isZk(error) && error.outcome === 'unknown' && !isZk(error, 'CLOSED') && !isZk(error, 'AUTHFAILED');
}

/** A look at the tree is as good in the next session, when the present one ends before it is answered. */
export async function inAnySession<T>(look: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (!isSessionEnd(error)) throw error;
    }
  }
}

/** The reason, once the signal fires. */
export function untilAborted(signal: AbortSignal): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  if (signal.aborted) resolve(signal.reason);
  else signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  return promise;
}
