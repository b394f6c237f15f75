/** Any service that speaks ZooKeeper's protocol at `host:port`, started by somebody else. */
import { ConfigFailure } from '../../src/base/failure.ts';
import { RawSession } from '../load/raw-session.ts';
import type { Target } from './target.ts';

const CONNECT_MS_MAX = 5_000;

/** @throws ConfigFailure when the address is not one or nothing serves there. */
export async function connectExternal(text: string): Promise<Target> {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65_535) {
    throw new ConfigFailure(`--target: "${text}" - allowed: ringkeeper, apache, null or host:port`);
  }
  const address = { host: match[1]!.replace(/^\[|\]$/g, ''), port };
  try {
    const session = await RawSession.connect(address, CONNECT_MS_MAX);
    await session.close();
  } catch (error) {
    throw new ConfigFailure(`--target: nothing serves at ${text}: ${(error as Error).message}`);
  }
  return {
    name: 'external',
    description: 'a service that was already running',
    address,
    pid: null,
    dataDir: null,
    failure: null,
    stop: async () => {},
  };
}
