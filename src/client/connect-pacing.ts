/**
 * When and where to try next, and what repeated failure means. A pause before another server is short in the first round
 * and grows with each whole round; chance spreads clients, so that they do not come back together. A machine.
 */
import type { HostList } from './hosts.ts';
import type { SessionPorts } from './session-ports.ts';

const FIRST_ROUND_PAUSE_MS = 100;
const PAUSE_MS_MAX = 2_000;
/** A connection that ends sooner than this after its handshake looks taken away. */
const TAKEN_AWAY_MS = 1_000;
const TAKEN_AWAY_MAX = 3;

export class ConnectPacing {
  private readonly hosts: HostList;
  private readonly ports: Pick<SessionPorts, 'random' | 'onNotice'>;
  /** Servers that closed before they answered, in this round. */
  private refused = 0;
  private readyMs = 0;
  private takenAway = 0;

  constructor(hosts: HostList, ports: Pick<SessionPorts, 'random' | 'onNotice'>) {
    this.hosts = hosts;
    this.ports = ports;
  }

  beforeAttempt(seenZxid: number): void {
    if (!this.hosts.atRoundEnd) return;
    if (this.refused >= this.hosts.size) {
      const detail = `every server closed before answering; highest zxid seen here: 0x${seenZxid.toString(16)}`;
      this.ports.onNotice('aheadOfServers', detail);
    }
    this.refused = 0;
  }

  onRefused(): void {
    this.refused++;
  }

  onReady(nowMs: number): void {
    this.readyMs = nowMs;
    this.refused = 0;
  }

  /** A connection that had worked is gone. */
  onLost(nowMs: number): void {
    this.takenAway = nowMs - this.readyMs < TAKEN_AWAY_MS ? this.takenAway + 1 : 0;
    if (this.takenAway < TAKEN_AWAY_MAX) return;
    this.takenAway = 0;
    this.ports.onNotice('sessionContended', `${TAKEN_AWAY_MAX} connections in a row ended at once`);
  }

  pauseMs(): number {
    const { rounds } = this.hosts;
    const boundMs =
      rounds === 0 ? FIRST_ROUND_PAUSE_MS : Math.min(FIRST_ROUND_PAUSE_MS * 2 ** rounds, PAUSE_MS_MAX);
    return this.ports.random() * boundMs;
  }
}
