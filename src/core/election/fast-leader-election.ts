/**
 * Fast leader election: the machine by which servers agree on one of them. Called on the thread of the election mesh, or
 * by a simulator; it is told the time and returns what is to be done. It sends nothing, waits for nothing, stores nothing on disk.
 *
 *                 startLooking                     a quorum votes the same, and for 200 ms nothing better comes, or
 *                                                  every other voter votes the same or cannot be reached
 *     decided ──────────────────▶ LOOKING ─────────────────────────────────────────▶ decided
 *     LEADING | FOLLOWING |          │  ▲                                             ▲
 *     OBSERVING                      │  └── a better vote: adopt it, tell everybody   │
 *                                    └── a quorum follows a leader that leads ────────┘
 *
 * A round is numbered by the logical clock. A vote of a later round takes a server there; of an earlier one is answered with
 * ours and not counted. Whoever has decided goes on answering those who look: that is how a late server finds the leader.
 *
 * Two rules need care, and are what Apache does:
 *
 *     a report FOLLOWING or LEADING counts for its round, and besides in a table of all rounds ("out of election"); but it
 *     decides only when the leader itself has said LEADING, or else two servers could follow a leader that is gone
 *
 *     who decided keeps the vote it decided by; only its epoch is changed (`setPeerEpoch`), once the leader's quorum has
 *     formed: servers that vote for one leader in different epochs would never form a quorum for somebody who joins
 *
 * Deliberately different from Apache: a server without `reconfigEnabled` ignores other servers' configurations instead of
 * restarting its election over and over, and a configuration that is empty or malformed ends nothing.
 */
import { assert } from '../../base/assert.ts';
import {
  type ElectionNotification,
  NO_VOTE,
  NOTIFICATION_VERSION,
  ServerState,
} from '../../wire/election-notification.ts';
import { EMPTY_BYTES } from '../../wire/flyweight.ts';
import { decodeUtf8 } from '../../wire/utf8.ts';
import { MalformedQuorumConfig, type Sid } from '../quorum/member.ts';
import { parseQuorumConfig, type QuorumConfig } from '../quorum/quorum-config.ts';
import { Contacts } from './contacts.ts';
import { type ElectionOptions, type Standing, zeroElectionCounters } from './election-options.ts';
import { type ElectionStep, StepBuilder } from './election-step.ts';
import { Electorate } from './electorate.ts';
import { type Candidate, candidateOf, isBetter, NO_CANDIDATE, type Vote, voteOf } from './vote.ts';

/** A quorum that agrees waits this long for a better vote, while there is somebody who may have one. */
const FINALIZE_WAIT_MS = 200;

export class FastLeaderElection {
  readonly counters = zeroElectionCounters();
  private readonly options: ElectionOptions;
  private electorate: Electorate;
  private currentState: ServerState = ServerState.looking;
  /** The result of the last election; what is told while this server is not looking. */
  private current: Vote;
  private logicalClock = 0;

  // Of one search.
  private initial: Candidate = NO_CANDIDATE;
  private proposed: Candidate = NO_CANDIDATE;
  private isSearching = false;
  private readonly received = new Map<Sid, Vote>();
  private readonly outOfElection = new Map<Sid, Vote>();
  private intervalMs = 0;
  private timerAtMs: number | null = null;
  /** A quorum agrees on `proposed`, and its wait has begun. */
  private finalizing: readonly Sid[] | null = null;
  private readonly contacts = new Contacts();

  /** The last of each voter that came while this server was about to look: nobody says a thing twice. */
  private readonly early = new Map<Sid, ElectionNotification>();

  // Of one call.
  private step = new StepBuilder();
  /** Told to ourselves and not yet heard. */
  private readonly own: ElectionNotification[] = [];

  constructor(options: ElectionOptions, committed: QuorumConfig, lastSeen: QuorumConfig, standing: Standing) {
    this.options = options;
    this.electorate = new Electorate(committed, lastSeen);
    this.current = {
      leader: options.sid,
      zxid: standing.zxid,
      electionEpoch: -1,
      peerEpoch: standing.currentEpoch,
      state: ServerState.looking,
      version: 0,
    };
  }

  get state(): ServerState {
    return this.currentState;
  }

  get currentVote(): Vote {
    return this.current;
  }

  get round(): number {
    return this.logicalClock;
  }

  /** Between searches, or before one is started anew: who votes is a matter of a whole search. */
  setConfigs(committed: QuorumConfig, lastSeen: QuorumConfig): void {
    this.electorate = new Electorate(committed, lastSeen);
  }

  /** The leader's quorum has formed, or this learner is in sync with it: everybody tells of one epoch from now on. */
  setPeerEpoch(peerEpoch: number): void {
    this.current = { ...this.current, peerEpoch };
  }

  /** A configuration has named the next leader: nobody searches. */
  setLeader(leader: Sid, state: ServerState, zxid: number): void {
    assert(state !== ServerState.looking, 'a server that is looking has no leader');
    this.current = { ...this.current, leader, zxid };
    this.currentState = state;
  }

  /** Begins a search, or begins it again. */
  startLooking(standing: Standing, nowMs: number): ElectionStep {
    const { sid, minNotificationIntervalMs } = this.options;
    this.begin();
    this.currentState = ServerState.looking;
    const votes = this.electorate.committed.verifier.voters.has(sid);
    const isObserver = this.electorate.committed.member(sid)?.role === 'observer';
    this.initial = isObserver
      ? NO_CANDIDATE
      : { leader: votes ? sid : NO_VOTE, zxid: standing.zxid, peerEpoch: standing.currentEpoch };
    this.received.clear();
    this.outOfElection.clear();
    this.contacts.beginSearch();
    this.isSearching = true;
    this.logicalClock++;
    this.counters.rounds++;
    this.intervalMs = minNotificationIntervalMs;
    this.proposed = this.initial;
    this.tellAll();
    this.timerAtMs = nowMs + this.intervalMs;
    const early = [...this.early];
    this.early.clear();
    for (const [from, notification] of early) this.hear(from, notification, nowMs);
    return this.finish(nowMs);
  }

  /** Looks no more and tells nobody: the server stops. */
  stop(): void {
    this.isSearching = false;
    this.timerAtMs = null;
    this.finalizing = null;
  }

  onNotification(from: Sid, notification: ElectionNotification, nowMs: number): ElectionStep {
    this.begin();
    this.contacts.onHeard(from);
    if (this.learnsConfig(notification)) return this.finish(nowMs);
    this.hear(from, notification, nowMs);
    return this.finish(nowMs);
  }

  /** It cannot be connected to. Who died is not waited for; but when all begin together, one that is a little late is. */
  onUnreachable(sid: Sid, nowMs: number): ElectionStep {
    this.begin();
    if (this.counters.decisions > 0) this.contacts.onUnreachable(sid);
    if (this.finalizing !== null) this.finalize(this.finalizing, nowMs);
    return this.finish(nowMs);
  }

  /** A connection with it has ended: what it was told on it may be lost, and only a dial shows whether it is still there. */
  onLinkLost(sid: Sid, nowMs: number): ElectionStep {
    this.begin();
    const pauseMs =
      this.isSearching && this.electorate.voters.has(sid) ? this.contacts.redialPauseMs(sid) : null;
    if (pauseMs !== null) this.step.redial = { sid, pauseMs };
    return this.finish(nowMs);
  }

  /** At `timerAtMs` or later. `wasDelivered`: somebody has taken the last that was to be sent to him. */
  onTimer(nowMs: number, wasDelivered: boolean): ElectionStep {
    this.begin();
    if (!this.isSearching || this.timerAtMs === null || nowMs < this.timerAtMs) return this.finish(nowMs);
    if (this.finalizing !== null) {
      this.decide(this.proposed, this.logicalClock, this.finalizing);
      return this.finish(nowMs);
    }
    if (wasDelivered) this.tellAll();
    else this.step.connectAll = true;
    this.intervalMs = Math.min(this.intervalMs * 2, this.options.maxNotificationIntervalMs);
    this.timerAtMs = nowMs + this.intervalMs;
    return this.finish(nowMs);
  }

  // ---- what comes in ---------------------------------------------------------------------------------------

  /** True: another configuration has to be taken up first, and the search with it begins anew. */
  private learnsConfig(notification: ElectionNotification): boolean {
    if (notification.version < NOTIFICATION_VERSION || notification.config.length === 0) return false;
    if (this.currentState !== ServerState.looking || !this.options.reconfigEnabled) return false;
    if (this.electorate.isCommitted(notification.config)) return false;
    const config = this.parseConfig(notification.config);
    if (config === null || config.version <= this.electorate.committed.version) return false;
    this.step.newerConfig = config;
    return !config.equals(this.electorate.committed);
  }

  private parseConfig(bytes: Uint8Array): QuorumConfig | null {
    try {
      return parseQuorumConfig(decodeUtf8(bytes, 0, bytes.length));
    } catch (error) {
      if (!(error instanceof MalformedQuorumConfig)) throw error;
      this.counters.malformedConfigs++;
      return null;
    }
  }

  private hear(from: Sid, notification: ElectionNotification, nowMs: number): void {
    if (!this.electorate.voters.has(from)) {
      // Observers, servers that join, servers that were removed: told at once, never counted.
      this.answer(from, this.current, this.logicalClock);
      return;
    }
    const { state } = notification;
    if (state < ServerState.looking || state > ServerState.observing) {
      this.counters.unknownStates++;
      return;
    }
    if (this.isSearching) {
      if (state !== ServerState.looking) this.contacts.onDecidedVoter(from);
      // Who was still with a dead leader when we began to look took no notice of our vote, and looks itself now.
      else if (this.contacts.hasMissedVote(from) || notification.electionEpoch < this.logicalClock)
        this.answer(from, this.proposed, this.logicalClock);
      this.weigh(from, notification, nowMs);
    } else if (this.currentState === ServerState.looking) {
      this.early.set(from, { ...notification, config: EMPTY_BYTES });
    } else if (state === ServerState.looking) {
      const { leader, electionEpoch } = this.current;
      if (this.currentState === ServerState.leading || from === leader)
        this.step.lookingVoter = { sid: from, hasLeft: notification.electionEpoch !== electionEpoch };
      this.answer(from, this.current, electionEpoch);
    }
  }

  /** One notification of a voter, while this server looks. */
  private weigh(from: Sid, notification: ElectionNotification, nowMs: number): void {
    if (this.finalizing !== null) {
      if (!isBetter(notification, this.proposed, this.electorate.committed.verifier)) {
        this.weighLate(from, notification, nowMs);
        return;
      }
      this.finalizing = null;
    }
    this.timerAtMs = nowMs + this.intervalMs;
    if (!this.electorate.voters.has(notification.leader)) {
      this.counters.ofStrangers++;
      return;
    }
    switch (notification.state) {
      case ServerState.looking:
        this.weighLooking(from, notification, nowMs);
        break;
      case ServerState.following:
      case ServerState.leading:
        this.weighDecided(from, notification);
        break;
      default: // observers' reports say nothing
    }
  }

  private weighLooking(from: Sid, notification: ElectionNotification, nowMs: number): void {
    if (this.initial.zxid === -1 || notification.zxid === -1) return;
    const { verifier } = this.electorate.committed;
    if (notification.electionEpoch > this.logicalClock) {
      this.logicalClock = notification.electionEpoch;
      this.received.clear();
      this.proposed = isBetter(notification, this.initial, verifier)
        ? candidateOf(notification)
        : this.initial;
      this.tellAll();
    } else if (notification.electionEpoch < this.logicalClock) {
      this.counters.ofEarlierRounds++;
      return;
    } else if (isBetter(notification, this.proposed, verifier)) {
      this.proposed = candidateOf(notification);
      this.tellAll();
    }
    this.received.set(from, voteOf(notification, 0));
    const agreeing = this.agreeing();
    if (agreeing !== null) this.finalize(agreeing, nowMs);
  }

  /** Nothing better, while a quorum agrees: one more who agrees may be the last that was waited for. */
  private weighLate(from: Sid, notification: ElectionNotification, nowMs: number): void {
    const { state, electionEpoch } = notification;
    if (state === ServerState.looking && electionEpoch === this.logicalClock)
      this.received.set(from, voteOf(notification, 0));
    this.finalize(this.agreeing() ?? this.finalizing!, nowMs);
  }

  private finalize(agreeing: readonly Sid[], nowMs: number): void {
    const mayBeBetter = (sid: Sid): boolean => !agreeing.includes(sid) && !this.contacts.isAbsent(sid);
    if (![...this.electorate.voters].some(mayBeBetter)) {
      this.decide(this.proposed, this.logicalClock, agreeing);
      return;
    }
    // Whoever says the same meanwhile does not begin the wait anew.
    if (this.finalizing === null) this.timerAtMs = nowMs + FINALIZE_WAIT_MS;
    this.finalizing = agreeing;
  }

  private agreeing(): readonly Sid[] | null {
    return this.electorate.quorumFor(this.received, {
      ...this.proposed,
      electionEpoch: this.logicalClock,
      state: ServerState.looking,
      version: 0,
    });
  }

  /** A report of somebody who has decided, in this round or any other. */
  private weighDecided(from: Sid, notification: ElectionNotification): void {
    const { leader, electionEpoch } = notification;
    const vote = voteOf(notification, notification.version);
    if (electionEpoch === this.logicalClock) {
      // Kept without its version: in this table, two who have decided agree by leader alone.
      this.received.set(from, { ...vote, version: 0 });
      const agreeing = this.electorate.quorumFor(this.received, vote);
      if (agreeing !== null && this.leaderSaysSo(this.received, leader, electionEpoch)) {
        this.decide(vote, electionEpoch, agreeing);
        return;
      }
    }
    this.outOfElection.set(from, vote);
    const agreeing = this.electorate.quorumFor(this.outOfElection, vote);
    if (agreeing === null || !this.leaderSaysSo(this.outOfElection, leader, electionEpoch)) return;
    this.logicalClock = electionEpoch;
    this.decide(vote, electionEpoch, agreeing);
  }

  /** Without its own word that it leads, one that is gone would be followed again and again; without a vote it never does. */
  private leaderSaysSo(votes: ReadonlyMap<Sid, Vote>, leader: Sid, electionEpoch: number): boolean {
    if (leader === this.options.sid) return this.initial.zxid !== -1 && electionEpoch === this.logicalClock;
    return votes.get(leader)?.state === ServerState.leading;
  }

  // ---- what goes out ---------------------------------------------------------------------------------------

  private decide(candidate: Candidate, electionEpoch: number, voters: readonly Sid[]): void {
    const { sid } = this.options;
    const { leader, zxid, peerEpoch } = candidate;
    this.stop();
    this.own.length = 0;
    this.current = { leader, zxid, electionEpoch, peerEpoch, state: ServerState.looking, version: 0 };
    const isObserver = this.electorate.committed.member(sid)?.role === 'observer';
    const learner = isObserver ? ServerState.observing : ServerState.following;
    this.currentState = leader === sid ? ServerState.leading : learner;
    this.counters.decisions++;
    this.step.decided = { state: this.currentState, vote: this.current, voters };
  }

  private tellAll(): void {
    const { sid } = this.options;
    const notification = this.notificationOf(this.proposed, this.logicalClock);
    const to = [...this.electorate.voters].filter((voter) => voter !== sid);
    this.contacts.onToldAll();
    if (to.length > 0) this.step.send.push({ to, notification });
    // Apache's own message comes back through its queue; so here it is heard after what is being heard now.
    if (this.electorate.voters.has(sid)) this.own.push(notification);
  }

  private answer(to: Sid, candidate: Candidate, electionEpoch: number): void {
    if (to === this.options.sid) return;
    this.step.send.push({ to: [to], notification: this.notificationOf(candidate, electionEpoch) });
  }

  private notificationOf(candidate: Candidate, electionEpoch: number): ElectionNotification {
    const { leader, zxid, peerEpoch } = candidate;
    const { bytes: config } = this.electorate.committed;
    // An empty one ends the election thread of Apache 3.8.0.
    assert(config.length > 0, 'a configuration has no text');
    return {
      state: this.currentState,
      leader,
      zxid,
      electionEpoch,
      peerEpoch,
      version: NOTIFICATION_VERSION,
      config,
    };
  }

  // ---- calls -----------------------------------------------------------------------------------------------

  private begin(): void {
    this.step = new StepBuilder();
  }

  private finish(nowMs: number): ElectionStep {
    for (let next = this.own.shift(); next !== undefined; next = this.own.shift())
      if (this.isSearching) this.weigh(this.options.sid, next, nowMs);
    this.step.timerAtMs = this.isSearching ? this.timerAtMs : null;
    return this.step;
  }
}
