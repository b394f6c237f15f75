/**
 * What a term comes to, without packets: followers reach their leader or not, a quorum forms or not, transactions are shared, and
 * whoever loses the other looks again. Where the real protocol would ask and answer, the simulator looks.
 */
import { makeZxid } from '../../../src/base/zxid.ts';
import type { Term, TermControl } from '../../../src/server/ensemble/role-runner.ts';
import type { Member, MemberWorld, PlayedTerm, Process } from './member.ts';

const INIT_LIMIT_MS = 2000;
const SYNC_LIMIT_MS = 600;
const JOIN_EVERY_MS = 100;
const JOIN_ATTEMPTS = 5;
const WRITE_EVERY_MS = 60;

/** What a term sees of its run. */
export interface TermWorld extends MemberWorld {
  /** Of a server that leads and is awake. */
  leaderTerm(sid: number): SimTerm | null;
  isReachable(a: Member, b: Member): boolean;
  isQuorum(members: readonly Member[]): boolean;
  onFormed(leader: Member): void;
  onCommitted(leader: Member): void;
  count(what: string): void;
}

export class SimTerm implements PlayedTerm {
  readonly term: Term;
  readonly process: Process;
  private readonly cluster: TermWorld;
  private readonly control: TermControl;
  private isOver = false;
  /** In force. */
  epoch = 0;
  /** Of a leader: its learners, itself among them. */
  readonly joined = new Set<Process>();
  private lastSeenMs: number;
  private counter = 0;

  constructor(cluster: TermWorld, process: Process, term: Term, control: TermControl) {
    this.cluster = cluster;
    this.process = process;
    this.term = term;
    this.control = control;
    this.lastSeenMs = this.world.nowMs;
  }

  private get member(): Member {
    return this.process.member;
  }
  private get world() {
    return this.cluster.world;
  }

  get isRunning(): boolean {
    return !this.isOver && this.process.isAlive;
  }

  start(): void {
    if (this.term.role !== 'leading') {
      this.join(1);
      return;
    }
    this.joined.add(this.process);
    this.form();
    this.after(INIT_LIMIT_MS, () => {
      if (this.epoch === 0) this.over('no quorum has followed');
    });
  }

  onLookingVoter(): void {}
  end(reason: string): void {
    this.over(reason);
  }
  drop(): void {
    this.isOver = true;
  }

  over(reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.process.term = null;
    if (this.cluster.variant?.looksOnce === true) return;
    this.control.over({ reason, standing: this.member.standing, designated: null });
  }

  private after(ms: number, callback: () => void): void {
    this.world.after(ms, () =>
      this.process.run(() => {
        if (!this.isOver) callback();
      }),
    );
  }

  // ---- a learner -------------------------------------------------------------------------------------------

  private join(attempt: number): void {
    const leader = this.cluster.leaderTerm(this.term.leader);
    if (leader !== null && this.cluster.isReachable(this.member, leader.member) && leader.admit(this)) {
      this.watch(leader);
    } else if (attempt === JOIN_ATTEMPTS) {
      this.over('the leader cannot be reached');
    } else {
      this.after(JOIN_EVERY_MS, () => this.join(attempt + 1));
    }
  }

  private watch(leader: SimTerm): void {
    if (
      leader.isRunning &&
      leader.joined.has(this.process) &&
      this.cluster.isReachable(this.member, leader.member)
    )
      this.lastSeenMs = this.world.nowMs;
    if (!leader.isRunning) this.over('the leader is gone');
    else if (leader.epoch > 0 && this.epoch !== leader.epoch) this.join(1);
    else if (this.world.nowMs - this.lastSeenMs > SYNC_LIMIT_MS) this.over('the leader is not heard of');
    else this.after(JOIN_EVERY_MS, () => this.watch(leader));
  }

  follow(leader: Member): void {
    const { member } = this;
    this.epoch = leader.currentEpoch;
    member.history = [...leader.history];
    member.acceptedEpoch = this.epoch;
    member.currentEpoch = this.epoch;
    if (this.cluster.variant?.keepsEpochToItself !== true) this.control.serving(this.epoch);
  }

  // ---- a leader --------------------------------------------------------------------------------------------

  private admit(learner: SimTerm): boolean {
    // Whoever has promised a later leader does not come back to this one.
    if (!this.isRunning || (this.epoch > 0 && learner.member.acceptedEpoch > this.epoch)) return false;
    this.joined.add(learner.process);
    if (this.epoch === 0) this.form();
    else learner.follow(this.member);
    return this.isRunning;
  }

  /** Who is with this leader at this moment, and hears it; itself among them. */
  private get heard(): Process[] {
    const { world, cluster } = this;
    return [...this.joined].filter((process) => {
      if (process === this.process) return true;
      const isHere = process.isAlive && process.term?.term.leader === this.member.sid;
      return (
        isHere && process.pausedUntilMs <= world.nowMs && cluster.isReachable(this.member, process.member)
      );
    });
  }

  private form(): void {
    const { heard } = this;
    const ahead = heard.find(({ member }) => !member.isObserver && isAhead(member, this.member));
    if (ahead !== undefined) {
      this.cluster.count('wrong election');
      this.over(`server ${ahead.member.sid} is ahead`);
      return;
    }
    if (!this.cluster.isQuorum(heard.map(({ member }) => member))) return;
    this.epoch = Math.max(...heard.map(({ member }) => member.acceptedEpoch)) + 1;
    this.member.acceptedEpoch = this.epoch;
    this.member.currentEpoch = this.epoch;
    this.cluster.onFormed(this.member);
    this.control.serving(this.epoch);
    for (const process of heard) if (process !== this.process) process.term!.follow(this.member);
    this.lastSeenMs = this.world.nowMs;
    this.lead();
  }

  private lead(): void {
    const heard = this.heard.filter(({ member }) => member.acceptedEpoch === this.epoch);
    if (this.cluster.isQuorum(heard.map(({ member }) => member))) {
      this.lastSeenMs = this.world.nowMs;
      if (this.world.prng.chance(0.5)) this.write(heard);
    } else if (this.world.nowMs - this.lastSeenMs > SYNC_LIMIT_MS) {
      this.over('no quorum is heard of');
      return;
    }
    this.after(WRITE_EVERY_MS, () => this.lead());
  }

  /** Those who hear it have it, and everything before it. */
  private write(heard: readonly Process[]): void {
    this.member.history.push(makeZxid(this.epoch, ++this.counter));
    for (const process of heard)
      if (process.term?.epoch === this.epoch) process.member.history = [...this.member.history];
    const having = heard.filter((process) => process.term?.epoch === this.epoch);
    if (this.cluster.isQuorum(having.map(({ member }) => member))) this.cluster.onCommitted(this.member);
  }
}

function isAhead(a: Member, b: Member): boolean {
  if (a.currentEpoch !== b.currentEpoch) return a.currentEpoch > b.currentEpoch;
  return a.standing.zxid > b.standing.zxid;
}
