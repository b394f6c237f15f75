/** What a quorum peer needs, out of the configuration. Pure; at start-up. */
import { parseQuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { EnsembleConfig } from '../config/ensemble-config.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { QuorumPeerSetup } from './quorum-peer.ts';

/** As long as Apache's waits at least, so that no ordinary election is taken for a lost quorum. */
const READ_ONLY_AFTER_MS_MIN = 2000;

/** All but what this server has on its disk. */
export function peerSetupOf(
  ensemble: EnsembleConfig,
  { reconfigEnabled, readOnlyMode, tickTimeMs }: ServerConfig,
): Omit<QuorumPeerSetup, 'standing' | 'committed' | 'lastSeen'> {
  const config = parseQuorumConfig(ensemble.quorumText);
  const { sid, minNotificationIntervalMs, maxNotificationIntervalMs } = ensemble;
  return {
    election: { sid, minNotificationIntervalMs, maxNotificationIntervalMs, reconfigEnabled },
    mesh: {
      addresses: config
        .member(sid)!
        .addresses.map(({ host, electionPort }) => ({ host, port: electionPort })),
      listenOnAllIps: ensemble.quorumListenOnAllIps,
      multiAddress: ensemble.multiAddress,
      connectTimeoutMs: ensemble.connectTimeoutMs,
      greetingTimeoutMs: ensemble.greetingTimeoutMs,
      keepAlive: ensemble.tcpKeepAlive,
      bindAttempts: ensemble.electionPortBindAttempts,
    },
    observerElectionDelayMs: ensemble.observerElectionDelayMs,
    readOnlyAfterMs: readOnlyMode ? Math.max(READ_ONLY_AFTER_MS_MIN, tickTimeMs) : null,
  };
}
