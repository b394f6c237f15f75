/** The settings of a run: as far apart as the server takes them, tiny rings among them. */
import { readServerConfig, type ServerConfig } from '../../src/server/config/server-config.ts';
import type { World } from './world.ts';

/** With rings of 4 and 8 of these. */
export const TINY_FRAME_BYTES = 2048;

/** `isCrowded`: more is to be under way than the rings hold. */
export function drawConfig({ prng }: World, isCrowded: boolean): ServerConfig {
  const tickTime = prng.pick([200, 1000, 2000]);
  const { config } = readServerConfig({
    file: null,
    overrides: [
      { flag: '', key: 'dataDir', value: '/data' },
      { flag: '', key: 'clientPort', value: '2181' },
      { flag: '', key: 'tickTime', value: String(tickTime) },
      { flag: '', key: 'maxSessionTimeout', value: String(8 * tickTime) },
      { flag: '', key: 'ringkeeper.threadingMode', value: prng.pick(['shared', 'pipeline', 'dedicated']) },
      { flag: '', key: 'ringkeeper.ioThreads', value: String(prng.pick([1, 2, 3])) },
      { flag: '', key: 'extendedTypesEnabled', value: String(prng.chance(0.5)) },
      { flag: '', key: 'znode.container.checkIntervalMs', value: String(prng.pick([300, 1500])) },
      { flag: '', key: '4lw.commands.whitelist', value: '*' },
      { flag: '', key: 'enforceQuota', value: 'true' },
    ],
  });
  const tiny = isCrowded || prng.chance(0.4);
  const frameBytesMax = tiny ? TINY_FRAME_BYTES : 32 * 1024;
  return {
    ...config,
    snapCount: prng.pick([10, 60, 100_000]),
    preAllocBytes: prng.pick([0, 16 * 1024, 64 * 1024]),
    txnLogSizeLimitBytes: prng.pick([0, 20_000]),
    flushDelayMs: prng.pick([0, 0, 5]),
    maxWriteQueuePollTimeMs: 2,
    maxBatchSize: prng.pick([1, 5, 1000]),
    frameBytesMax,
    juteExtraBytes: frameBytesMax,
    globalOutstandingLimit: isCrowded ? 16_000 : prng.pick([2, 16_000]),
    connectionWindowRequests: isCrowded ? 1000 : prng.pick([1, 5, 1000]),
    requestRingBytes: 4 * frameBytesMax,
    replyRingBytes: 256 * 1024,
    proposalRingBytes: 8 * frameBytesMax,
    replyBacklogBytesMax: tiny ? 2000 : config.replyBacklogBytesMax,
  };
}
