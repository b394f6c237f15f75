/** The settings of a run: how many servers, which of them vote, and how each is configured. */
import type { ConfigFiles } from '../../../src/server/config/config-files.ts';
import { readServerConfig, type ServerConfig } from '../../../src/server/config/server-config.ts';
import { TINY_FRAME_BYTES } from '../draw-config.ts';
import type { World } from '../world.ts';

export const QUORUM_PORT = 2888;
export const ELECTION_PORT = 3888;
export const CLIENT_PORT = 2181;

/** In so many seeds once new sessions are their server's alone. */
const LOCAL_SESSIONS_EVERY = 4;

export interface DrawnEnsemble {
  /** By sid, from 1 on. */
  readonly configs: readonly ServerConfig[];
  readonly observers: ReadonlySet<number>;
  readonly isTiny: boolean;
  /** Clients are to notice nothing of a leader change, if they need not. */
  readonly keepsClients: boolean;
}

export function drawEnsemble(world: World): DrawnEnsemble {
  const { prng } = world;
  const voters = prng.pick([3, 3, 3, 3, 5, 5, 7]);
  const observerCount = voters === 7 ? 0 : prng.pick([0, 0, 0, 1]);
  const sids = Array.from({ length: voters + observerCount }, (_, i) => i + 1);
  const observers = new Set<number>();
  while (observers.size < observerCount) observers.add(prng.pick(sids));
  const drawnTick = prng.pick([100, 200, 500]);
  // The default, in some: what is waited for in ticks is long then, and shows where it should not be waited for.
  const tickTime = world.seed % 5 === 4 ? 2000 : drawnTick;
  const lines: [string, string][] = [
    ['dataDir', '/data'],
    ['tickTime', String(tickTime)],
    ['initLimit', '10'],
    ['syncLimit', String(prng.pick([3, 5]))],
    ['minSessionTimeout', String(4 * tickTime)],
    ['maxSessionTimeout', String(16 * tickTime)],
    ['extendedTypesEnabled', 'true'],
    ['fastleader.maxNotificationInterval', '2000'],
    ['cnxTimeout', '500'],
    ['localSessionsEnabled', String(world.seed % LOCAL_SESSIONS_EVERY === 0)],
    ['localSessionsUpgradingEnabled', 'true'],
  ];
  for (const sid of sids) {
    const role = observers.has(sid) ? 'observer' : 'participant';
    lines.push([`server.${sid}`, `s${sid}:${QUORUM_PORT}:${ELECTION_PORT}:${role};${CLIENT_PORT}`]);
  }
  const isTiny = prng.chance(0.3);
  const frameBytesMax = isTiny ? TINY_FRAME_BYTES : 32 * 1024;
  const shared = {
    snapCount: prng.pick([10, 60, 100_000]),
    preAllocBytes: prng.pick([0, 16 * 1024]),
    txnLogSizeLimitBytes: prng.pick([0, 20_000]),
    flushDelayMs: prng.pick([0, 0, 5]),
    maxWriteQueuePollTimeMs: 2,
    maxBatchSize: prng.pick([1, 5, 1000]),
    frameBytesMax,
    juteExtraBytes: frameBytesMax,
    globalOutstandingLimit: prng.pick([2, 16_000]),
    connectionWindowRequests: prng.pick([1, 5, 1000]),
    requestRingBytes: 4 * frameBytesMax,
    replyRingBytes: 256 * 1024,
    proposalRingBytes: 8 * frameBytesMax,
    keepClientsOnLeaderChange: (world.seed >> 2) % 2 === 1,
  };
  const configs = sids.map((sid) => ({ ...read(sid, lines), ...shared }));
  return { configs, observers, isTiny, keepsClients: shared.keepClientsOnLeaderChange };
}

/** Memory for proposals as little as a server takes: learners that were away are brought up from the disk. */
function read(sid: number, lines: readonly (readonly [string, string])[]): ServerConfig {
  const file = {
    name: 'zoo.cfg',
    lines: lines.map(([key, value], i) => ({ key, value, lineNumber: i + 1 })),
  };
  const files: ConfigFiles = { read: (path) => (path === '/data/myid' ? `${sid}\n` : null) };
  const { config } = readServerConfig({ file, overrides: [] }, files);
  return { ...config, ensemble: { ...config.ensemble!, proposalLogBytes: 0 } };
}
