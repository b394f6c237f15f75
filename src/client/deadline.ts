/**
 * One deadline and one signal for several requests that are one call to its caller.
 */
import type { CallOptions, ClientCore } from './client-core.ts';

/** The options of each request in turn: what is left of the time. */
export function bounded(core: ClientCore, options: CallOptions): () => CallOptions {
  const { signal } = options;
  const timeoutMs = options.timeoutMs ?? core.options.requestTimeoutMs;
  if (timeoutMs === 0) return () => ({ signal, timeoutMs });
  const endMs = performance.now() + timeoutMs;
  return () => ({ signal, timeoutMs: Math.max(1, endMs - performance.now()) });
}

/**
 * `promise`, or the end of what the caller allows. @throws whatever `ended` makes of it.
 */
export async function within<T>(
  promise: Promise<T>,
  options: CallOptions,
  ended: (why: 'ABORTED' | 'OPERATIONTIMEOUT', cause: unknown) => unknown,
): Promise<T> {
  const { signal, timeoutMs = 0 } = options;
  if (signal === undefined && timeoutMs === 0) return promise;
  const { promise: over, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(ended('ABORTED', signal?.reason));
  const onTime = (): void => reject(ended('OPERATIONTIMEOUT', undefined));
  const timer = timeoutMs > 0 ? setTimeout(onTime, timeoutMs) : undefined;
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
