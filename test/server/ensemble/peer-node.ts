/** A QuorumPeer on real sockets whose terms are the test's to serve and to end. */
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { QuorumPeer } from '../../../src/server/ensemble/quorum-peer.ts';
import type { RoleRunner, RunningTerm, Term, TermControl } from '../../../src/server/ensemble/role-runner.ts';
import type { Log } from '../../../src/server/logging/logging.ts';
import { nodeLoopPlatform } from '../../../src/server/platform/node-loop.ts';
import { until } from '../../support/until.ts';
import type { ServerLines } from './election-node.ts';

export class PeerNode implements RoleRunner {
  hasVote = true;
  readonly terms: { readonly term: Term; readonly control: TermControl }[] = [];
  readonly ends: string[] = [];
  readonly lookingVoters: number[] = [];
  readonly lines: string[] = [];
  readonly peer: QuorumPeer;
  standing = { zxid: 0, currentEpoch: 0 };

  constructor(sid: number, servers: ServerLines, more: readonly string[] = [], reconfigEnabled = false) {
    const text = Object.entries(servers).map(([other, value]) => `server.${other}=${value}`);
    const config = parseQuorumConfig([...text, ...more].join('\n'));
    const addresses = config
      .member(sid)!
      .addresses.map(({ host, electionPort }) => ({ host, port: electionPort }));
    const intervals = { minNotificationIntervalMs: 200, maxNotificationIntervalMs: 60_000 };
    this.peer = new QuorumPeer(
      {
        election: { sid, ...intervals, reconfigEnabled },
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
        standing: this.standing,
        observerElectionDelayMs: 20,
        readOnlyAfterMs: null,
      },
      { ...nodeLoopPlatform, entropy: () => 2 ** 31 },
      this,
      this.log,
    );
  }

  private get log(): Log {
    const say = (text: string): void => void this.lines.push(text);
    return { debug: say, info: say, warn: say, error: say };
  }

  begin(term: Term, control: TermControl): RunningTerm {
    this.terms.push({ term, control });
    return {
      onLookingVoter: ({ sid }) => void this.lookingVoters.push(sid),
      end: (reason) => {
        this.ends.push(reason);
        control.over({ reason, standing: this.standing, designated: null });
      },
    };
  }
  /** Is none of its file. */
  onConfigLearned(): void {
    this.hasVote = false;
  }
  beginReadOnly(): void {}
  endReadOnly(): void {}

  /** The term number `count`, from 1. */
  async term(count = 1): Promise<Term> {
    await until(async () => this.terms.length >= count);
    return this.terms[count - 1]!.term;
  }
}
