/**
 * One server of an ensemble between start and stop: an election, the term that follows from it, the next election. On the
 * thread of the election mesh. What a term consists of is the role runner's (role-runner.ts); who is elected, the
 * agent's; here is the turn from one to the other, and what the operator hears of both.
 *
 *                     decided                           serving(epoch)
 *     LOOKING ─────────────────────▶ LEADING, FOLLOWING ──────────────▶ the same, and others are told its epoch
 *        ▲                           or OBSERVING
 *        └────────── over ◀──────────────┘        an observer waits by chance first, or all would come at once
 *
 * The election port stays open and is answered in every state. Who looks for long may serve read-only clients until it is decided.
 */
import type { Clock } from '../../base/clock.ts';
import type { EventLoop, LoopTimer } from '../../base/event-loop.ts';
import { zxidHex } from '../../base/zxid.ts';
import type { Standing } from '../../core/election/election-options.ts';
import type { Decision, LookingVoter } from '../../core/election/election-step.ts';
import type { Sid } from '../../core/quorum/member.ts';
import type { QuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { Refusal } from '../../net/election-connection.ts';
import type { Transport } from '../../net/transport.ts';
import { ServerState } from '../../wire/election-notification.ts';
import { type HostPort, hostPortText } from '../../wire/host-port.ts';
import type { Log } from '../logging/logging.ts';
import { EnsembleMeter } from '../monitor/ensemble-meter.ts';
import { RepeatedLines } from '../reports/repeated-lines.ts';
import { ElectionAgent, type ElectionPort, type ElectionSetup } from './election-agent.ts';
import type { RoleRunner, RunningTerm, Term, TermControl, TermEnd, TermRole } from './role-runner.ts';

export interface QuorumPeerSetup extends ElectionSetup {
  /** An observer waits up to this long before it looks again. */
  readonly observerElectionDelayMs: number;
  /** Who has looked for this long lets clients read; null = never. */
  readonly readOnlyAfterMs: number | null;
}

export interface QuorumPeerPlatform {
  readonly transport: Transport;
  readonly loop: EventLoop;
  readonly clock: Clock;
  entropy(): number;
}

const FLUSH_EVERY_MS = 5000;

export class QuorumPeer implements ElectionPort {
  readonly election: ElectionAgent;
  private readonly setup: QuorumPeerSetup;
  private readonly platform: QuorumPeerPlatform;
  private readonly runner: RoleRunner;
  private readonly meter: EnsembleMeter;
  private readonly log: Log;
  private readonly lines: RepeatedLines;
  /** Whoever is down, or is there twice, is met often: one line is enough for some time. */
  private readonly seldom: RepeatedLines;
  private readonly flushing: LoopTimer;
  private committed: QuorumConfig;
  private lastSeen: QuorumConfig;
  private standing: Standing;
  private control: PeerControl | null = null;
  private running: RunningTerm | null = null;
  private term: Term | null = null;
  private isStopping = false;
  /** Runs while this server looks and is not read-only yet. */
  private readOnlyTimer: LoopTimer | null = null;
  private isReadOnly = false;

  constructor(
    setup: QuorumPeerSetup,
    platform: QuorumPeerPlatform,
    runner: RoleRunner,
    log: Log,
    meter: EnsembleMeter = new EnsembleMeter(),
  ) {
    this.meter = meter;
    this.setup = setup;
    this.platform = platform;
    this.runner = runner;
    this.log = log;
    this.committed = setup.committed;
    this.lastSeen = setup.lastSeen;
    this.standing = setup.standing;
    const nowMs = (): number => platform.clock.monotonicMs();
    this.lines = new RepeatedLines(log, nowMs);
    this.seldom = new RepeatedLines(log, nowMs, 1);
    this.flushing = platform.loop.every(FLUSH_EVERY_MS, () => {
      this.lines.flush();
      this.seldom.flush();
    });
    this.election = new ElectionAgent(setup, platform, this);
  }

  /** Opens the election port and looks for a leader. @throws BindFailure */
  async start(): Promise<void> {
    await this.election.listen();
    if (!this.isStopping) this.look();
  }

  /** The present term; null while this server is looking. */
  get currentTerm(): Term | null {
    return this.term;
  }

  /** The membership in force. */
  get configuration(): QuorumConfig {
    return this.committed;
  }

  /** Ends the term, which is `over` in its own time, and holds no more elections. The election port is closed at once. */
  stop(reason: string): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.flushing.cancel();
    this.readOnlyTimer?.cancel();
    this.election.close();
    this.running?.end(reason);
  }

  /** Ends the term; another election follows. */
  endTerm(reason: string): void {
    this.running?.end(reason);
  }

  // ---- elections -------------------------------------------------------------------------------------------

  private look(): void {
    const { currentEpoch } = this.standing;
    const zxid = this.runner.hasVote ? this.standing.zxid : -1;
    this.log.info('looking for a leader', {
      zxid: zxid < 0 ? 'none' : zxidHex(zxid),
      epoch: currentEpoch,
    });
    this.meter.onLooking(this.platform.clock.monotonicMs());
    this.awaitReadOnly();
    this.election.startLooking({ zxid, currentEpoch });
  }

  onDecided({ state, vote, voters }: Decision): void {
    this.begin(roleOf(state), vote.leader, voters);
  }

  onNewerConfig(config: QuorumConfig): void {
    const isAnother = !config.equals(this.committed);
    this.log.info('another server has a newer configuration, which is in force here now', {
      version: config.version.toString(16),
    });
    this.committed = config;
    if (config.version > this.lastSeen.version) this.lastSeen = config;
    this.runner.onConfigLearned(config);
    this.election.setConfigs(this.committed, this.lastSeen, isAnother);
    if (isAnother) this.look();
  }

  onLookingVoter(voter: LookingVoter): void {
    this.running?.onLookingVoter(voter);
  }

  // ---- read-only -------------------------------------------------------------------------------------------

  private awaitReadOnly(): void {
    const { readOnlyAfterMs } = this.setup;
    if (readOnlyAfterMs === null || this.isReadOnly || this.readOnlyTimer !== null) return;
    this.readOnlyTimer = this.platform.loop.after(readOnlyAfterMs, () => {
      this.readOnlyTimer = null;
      this.isReadOnly = true;
      this.log.warn('no leader is found: read-only, for clients that have asked for it');
      this.runner.beginReadOnly();
    });
  }

  private endReadOnly(): void {
    this.readOnlyTimer?.cancel();
    this.readOnlyTimer = null;
    if (!this.isReadOnly) return;
    this.isReadOnly = false;
    this.log.info('read-only no longer: there is a leader to be');
    this.runner.endReadOnly();
  }

  // ---- terms -----------------------------------------------------------------------------------------------

  private begin(role: TermRole, leader: Sid, voters: readonly Sid[]): void {
    this.endReadOnly();
    const { committed, lastSeen } = this;
    const addresses = quorumAddresses(committed, lastSeen, leader);
    this.term = { role, leader, addresses, vote: this.election.currentVote, voters, committed, lastSeen };
    this.log.info(
      `${role} ${role === 'leading' ? '' : `server ${leader} at ${addressText(addresses)} `}`.trim(),
      {
        round: this.term.vote.electionEpoch,
        voters: voters.join(' '),
      },
    );
    this.meter.onTerm(role, voters.length > 0, this.platform.clock.monotonicMs());
    const control = new PeerControl(this);
    this.control = control;
    this.running = null;
    const running = this.runner.begin(this.term, control);
    if (this.control === control) this.running = running;
  }

  onServing(control: PeerControl, epoch: number): void {
    if (this.control !== control) return;
    this.meter.onServing(this.platform.clock.monotonicMs());
    this.election.setPeerEpoch(epoch);
  }

  onConfigured(control: PeerControl, committed: QuorumConfig, lastSeen: QuorumConfig): void {
    if (this.control !== control) return;
    if (committed === this.committed && lastSeen === this.lastSeen) return;
    const isAnother = !committed.equals(this.committed);
    this.committed = committed;
    this.lastSeen = lastSeen;
    this.election.setConfigs(committed, lastSeen, isAnother);
  }

  onOver(control: PeerControl, end: TermEnd): void {
    if (this.control !== control) return;
    const wasObserving = this.term?.role === 'observing';
    this.control = null;
    this.running = null;
    this.term = null;
    this.standing = end.standing;
    this.meter.onOver(this.platform.clock.monotonicMs());
    if (this.isStopping) return;
    this.log.warn(`no longer with this leader: ${end.reason}`);
    const next = (): void => {
      if (this.isStopping) return;
      if (end.designated === null) this.look();
      else this.beginDesignated(end.designated);
    };
    const delayMs = wasObserving && end.designated === null ? this.observerDelayMs() : 0;
    // On a stack of its own: a runner may end a term while it begins it.
    if (delayMs > 0) this.platform.loop.after(delayMs, next);
    else this.platform.loop.soon(next);
  }

  private beginDesignated(leader: Sid): void {
    const { sid } = this.setup.election;
    const isObserver = this.committed.member(sid)?.role === 'observer';
    const role = leader === sid ? 'leading' : isObserver ? 'observing' : 'following';
    this.election.setLeader(leader, STATE_OF[role], this.standing.zxid);
    this.begin(role, leader, []);
  }

  private observerDelayMs(): number {
    return Math.floor((this.setup.observerElectionDelayMs * this.platform.entropy()) / 2 ** 32);
  }

  // ---- the operator ----------------------------------------------------------------------------------------

  onRefused(reason: Refusal, remote: string, sid: number): void {
    if (reason === 'own sid' || reason === 'same sid') {
      const text = `two servers say that they are server ${sid}, one of them from ${remote}: give each an id of its own in myid`;
      this.seldom.say(`${reason} ${sid}`, 'warn', text, {});
      return;
    }
    const who = sid < 0 ? {} : { sid };
    this.lines.say(`refused ${reason}`, 'warn', `election connection closed: ${reason}`, { remote, ...who });
  }

  onUnreachable(sid: number, address: string, why: string): void {
    const whose = this.committed.member(sid) === undefined ? 'a stranger' : String(sid);
    this.seldom.say(`${whose} ${why}`, 'warn', `server ${sid} cannot be reached for the election: ${why}`, {
      address,
    });
  }

  onListenLater(why: string): void {
    this.log.warn(`${why}; trying again`);
  }
}

/** Of one term: what comes after the next has begun is not heard. */
class PeerControl implements TermControl {
  private readonly peer: QuorumPeer;

  constructor(peer: QuorumPeer) {
    this.peer = peer;
  }

  serving(epoch: number): void {
    this.peer.onServing(this, epoch);
  }
  configured(committed: QuorumConfig, lastSeen: QuorumConfig): void {
    this.peer.onConfigured(this, committed, lastSeen);
  }
  over(end: TermEnd): void {
    this.peer.onOver(this, end);
  }
}

const STATE_OF = {
  leading: ServerState.leading,
  following: ServerState.following,
  observing: ServerState.observing,
} as const;

function roleOf(state: ServerState): TermRole {
  if (state === ServerState.leading) return 'leading';
  return state === ServerState.observing ? 'observing' : 'following';
}

function quorumAddresses(committed: QuorumConfig, lastSeen: QuorumConfig, sid: Sid): HostPort[] {
  const member = committed.member(sid) ?? lastSeen.member(sid);
  return (member?.addresses ?? []).map(({ host, quorumPort }) => ({ host, port: quorumPort }));
}

function addressText(addresses: readonly HostPort[]): string {
  return addresses.map(hostPortText).join(' or ');
}
