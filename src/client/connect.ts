/**
 * The door: a connect string and options to a client that is connected.
 */
import { ClientCore } from './client-core.ts';
import { parseConnectString } from './connect-string.ts';
import { ZkError } from './errors.ts';
import { type ConnectOptions, resolveOptions } from './options.ts';
import { Zk } from './zk.ts';

/**
 * Resolves at the first connection. Servers that cannot be reached, and names of servers or of SRV records that cannot be
 * resolved, are tried until `signal` says stop.
 * @throws TypeError for a connect string or option that makes no sense.
 */
export async function connect(servers: string, options: ConnectOptions = {}): Promise<Zk> {
  const zk = await open(servers, options);
  const { core } = zk;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { signal } = options;
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  const stop = core.listen((change) => {
    if (change.state === 'connected' || change.state === 'readonly') resolve();
    if (change.state !== 'closed' && change.state !== 'authFailed') return;
    const code = change.state === 'closed' ? 'CLOSED' : 'AUTHFAILED';
    reject(
      new ZkError({
        code,
        op: 'connect',
        path: servers,
        outcome: 'refused',
        cause: change.cause ?? undefined,
      }),
    );
  });
  if (core.isConnected) resolve();
  try {
    await promise;
    return zk;
  } catch (error) {
    core.driver.close();
    throw error;
  } finally {
    stop();
    signal?.removeEventListener('abort', onAbort);
  }
}

/** As `connect`, without waiting, also for SRV records: requests wait instead. */
export async function open(servers: string, options: ConnectOptions = {}): Promise<Zk> {
  const target = parseConnectString(servers);
  const core = new ClientCore(target, resolveOptions(options));
  core.driver.start();
  return new Zk(core, target.chroot);
}
