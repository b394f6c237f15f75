/** Our election over real sockets, as a test needs it: one server of `servers`, and what it decided. */

import type { Standing } from '../../../src/core/election/election-options.ts';
import type { Decision, LookingVoter } from '../../../src/core/election/election-step.ts';
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { ElectionAgent, type ElectionPort } from '../../../src/server/ensemble/election-agent.ts';
import { nodeLoopPlatform } from '../../../src/server/platform/node-loop.ts';
import { until } from '../../support/until.ts';

export type ServerLines = Readonly<Record<number, string>>;

export class ElectionNode implements ElectionPort {
  readonly decisions: Decision[] = [];
  readonly refusals: string[] = [];
  readonly lookingVoters: number[] = [];
  readonly agent: ElectionAgent;

  constructor(sid: number, servers: ServerLines, standing: Standing = { zxid: 0, currentEpoch: 0 }) {
    const text = Object.entries(servers).map(([other, value]) => `server.${other}=${value}`);
    const config = parseQuorumConfig(text.join('\n'));
    const addresses = config
      .member(sid)!
      .addresses.map(({ host, electionPort }) => ({ host, port: electionPort }));
    this.agent = new ElectionAgent(
      {
        election: {
          sid,
          minNotificationIntervalMs: 200,
          maxNotificationIntervalMs: 60_000,
          reconfigEnabled: false,
        },
        mesh: {
          addresses,
          listenOnAllIps: false,
          multiAddress: false,
          connectTimeoutMs: 5000,
          greetingTimeoutMs: 5000,
          keepAlive: false,
          bindAttempts: 3,
        },
        committed: config,
        lastSeen: config,
        standing,
      },
      nodeLoopPlatform,
      this,
    );
  }

  onDecided(decision: Decision): void {
    this.decisions.push(decision);
  }
  onNewerConfig(): void {}
  onLookingVoter({ sid }: LookingVoter): void {
    this.lookingVoters.push(sid);
  }
  onRefused(reason: string): void {
    this.refusals.push(reason);
  }
  onListenLater(): void {}
  onUnreachable(): void {}

  /** The decision number `count`, from 1. */
  async decided(count = 1): Promise<Decision> {
    await until(async () => this.decisions.length >= count);
    return this.decisions[count - 1]!;
  }
}
