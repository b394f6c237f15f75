/**
 * A simulated ensemble of real elections: faults by seed, then peace, and what must hold:
 *
 *     quorum       who leads was voted for by a quorum of voters
 *     the best     when all begin together and nothing goes wrong, who is elected has the greatest epoch, zxid, sid
 *     kept         a leader whose quorum has formed has everything that was ever committed
 *     alive        once faults stop, all are with one leader within a time, and stay so
 *     undisturbed  who restarts in peace finds that leader, and nobody else begins an election
 */
import type { Term, TermControl } from '../../../src/server/ensemble/role-runner.ts';
import { Violation, World } from '../world.ts';
import { ELECTION_PORT, Member, type Process } from './member.ts';
import { ElectionNetwork } from './network.ts';
import { Stranger } from './stranger.ts';
import { SimTerm, type TermWorld } from './terms.ts';
import type { ElectionVariant } from './variants.ts';

const FAULTS_MS = 8000;
/** For notification intervals of 2 s at most, a dial of 1 s, five tries to join and what discovery may need. */
const SETTLE_MS = 25_000;
const PEACE_MS = 6000;

export interface ElectionRun {
  readonly counts: ReadonlyMap<string, number>;
  readonly settledMs: number;
  readonly virtualMs: number;
  readonly steps: number;
}

export class ElectionCluster implements TermWorld {
  readonly world: World;
  readonly network: ElectionNetwork;
  readonly variant: ElectionVariant | null;
  readonly members: readonly Member[];
  private readonly voters: readonly Member[];
  private readonly isCalm: boolean;
  private readonly counts = new Map<string, number>();
  private committed: readonly number[] = [];
  private isPeace = false;
  /** Of those who vote, by what they have at the start. */
  private readonly best: number;
  /** In peace nobody but these may begin a term. */
  private mayBegin: ReadonlySet<Member> | null = null;

  constructor(seed: number, variant: ElectionVariant | null, traced: boolean) {
    this.world = new World(seed, traced);
    this.variant = variant;
    const { prng } = this.world;
    this.isCalm = prng.chance(0.3);
    this.network = new ElectionNetwork(this.world, this.isCalm ? 15 : prng.pick([1, 15, 60]));
    const voters = prng.pick([2, 3, 3, 3, 4, 5, 5, 7]);
    const observers = prng.pick([0, 0, 1, 2]);
    const sids = Array.from({ length: voters + observers }, (_, i) => i + 1);
    // Observers have any sids, not always the largest.
    const chosen = new Set<number>();
    while (chosen.size < observers) chosen.add(prng.pick(sids));
    this.members = sids.map((sid) => new Member(this, sid, chosen.has(sid)));
    this.voters = this.members.filter((member) => !member.isObserver);
    this.drawHistories();
    this.best = this.voters.reduce((a, b) => (isBetter(b, a) ? b : a)).sid;
  }

  /** Of an ensemble that ran before: prefixes of one history, some epochs behind. */
  private drawHistories(): void {
    const { prng } = this.world;
    if (prng.chance(0.3)) return;
    const whole = Array.from({ length: 6 }, (_, i) => 2 ** 32 * (1 + Math.floor(i / 2)) + 1 + (i % 2));
    for (const member of this.members) {
      member.history = whole.slice(0, prng.below(whole.length + 1));
      const epoch = Math.floor((member.history.at(-1) ?? 0) / 2 ** 32);
      member.currentEpoch = epoch + (prng.chance(0.2) ? 1 : 0);
    }
    // Nobody takes an epoch over that a quorum has not promised.
    const promised = Math.max(...this.members.map(({ currentEpoch }) => currentEpoch));
    for (const member of this.members) member.acceptedEpoch = promised;
  }

  async run(): Promise<ElectionRun> {
    const { prng } = this.world;
    for (const member of this.members) {
      if (this.isCalm) member.start();
      else this.world.after(prng.below(500), () => member.process === null && member.start());
    }
    if (this.isCalm) {
      await this.settle();
      this.checkBest();
    } else {
      this.scheduleFaults();
      await this.world.run(() => false, FAULTS_MS);
      this.heal();
      await this.settle();
    }
    const settledMs = this.world.virtualMs - (this.isCalm ? 0 : FAULTS_MS);
    await this.restartInPeace();
    const { virtualMs, steps } = this.world;
    return { counts: this.counts, settledMs, virtualMs, steps };
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  check(holds: boolean, what: string): void {
    if (!holds) this.world.violation ??= new Violation(what);
  }

  // ---- terms -----------------------------------------------------------------------------------------------

  begin(process: Process, term: Term, control: TermControl): SimTerm {
    const { member } = process;
    this.count(term.role);
    if (term.role === 'leading') {
      const voters = this.members.filter(({ sid }) => term.voters.includes(sid));
      this.check(
        this.isQuorum(voters),
        `server ${member.sid} leads by the votes of ${term.voters.join(' ')}, which are no quorum`,
      );
      this.check(!member.isObserver, `observer ${member.sid} leads`);
    } else {
      this.check(
        term.addresses[0]?.host === `s${term.leader}`,
        `server ${member.sid} was told no address of ${term.leader}`,
      );
    }
    if (this.mayBegin !== null && !this.mayBegin.has(member))
      this.check(false, `server ${member.sid} began a term although nothing had happened to it`);
    const running = new SimTerm(this, process, term, control);
    process.term = running;
    process.run(() => running.isRunning && running.start());
    return running;
  }

  leaderTerm(sid: number): SimTerm | null {
    const process = this.members.find((member) => member.sid === sid)?.process ?? null;
    if (process === null || process.pausedUntilMs > this.world.nowMs) return null;
    const { term } = process;
    return term instanceof SimTerm && term.term.role === 'leading' ? term : null;
  }

  isReachable(a: Member, b: Member): boolean {
    return !this.network.isCut(a.name, b.name) && !this.network.isCut(b.name, a.name);
  }

  isQuorum(members: readonly Member[]): boolean {
    return members.filter((member) => !member.isObserver).length > this.voters.length / 2;
  }

  onFormed(leader: Member): void {
    this.count('formed');
    const has = this.committed.every((zxid, i) => leader.history[i] === zxid);
    this.check(has, `server ${leader.sid} leads and lacks what was committed`);
  }

  onCommitted(leader: Member): void {
    this.committed = [...leader.history];
  }

  // ---- faults ----------------------------------------------------------------------------------------------

  private scheduleFaults(): void {
    const { prng } = this.world;
    const meanMs = prng.pick([150, 400, 1200]);
    const next = (): void => {
      this.world.after(prng.below(2 * meanMs), () => {
        if (this.isPeace) return;
        this.fault();
        next();
      });
    };
    next();
  }

  private fault(): void {
    const { prng } = this.world;
    const member = prng.pick(this.members);
    const forMs = prng.pick([50, 300, 1000, 3000]);
    const later = (what: () => void): void => this.world.after(forMs, () => !this.isPeace && what());
    const kind = prng.pick([
      'crash',
      'power loss',
      'pause',
      'partition',
      'one-way cut',
      'reset',
      'stall',
      'lost name',
      'stranger',
      'crash of all',
    ] as const);
    if (kind === 'crash of all' && !prng.chance(0.2)) return;
    this.count(`fault ${kind}`);
    this.world.trace(member.name, kind);
    if (kind === 'crash' || kind === 'power loss') {
      member.crash(kind === 'power loss');
      later(() => member.process === null && member.start());
    } else if (kind === 'crash of all') {
      for (const one of this.members) {
        one.crash(prng.chance(0.5));
        later(() => one.process === null && one.start());
      }
    } else if (kind === 'pause') {
      if (member.process !== null) member.process.pausedUntilMs = this.world.nowMs + forMs;
    } else if (kind === 'partition' || kind === 'one-way cut') this.cut(kind === 'partition', later);
    else if (kind === 'lost name') {
      this.network.unknownNames.add(member.name);
      later(() => this.network.unknownNames.delete(member.name));
    } else if (kind === 'stranger') new Stranger(this.network, member.name, ELECTION_PORT).speak();
    else {
      const connections = [...this.network.connections];
      if (connections.length === 0) return;
      if (kind === 'reset') prng.pick(connections).reset();
      else prng.pick(connections).stall(forMs);
    }
  }

  private cut(bothWays: boolean, later: (what: () => void) => void): void {
    const { prng } = this.world;
    const side = new Set(this.members.filter(() => prng.chance(0.5)));
    const made: string[] = [];
    for (const a of this.members) {
      for (const b of this.members) {
        if (side.has(a) === side.has(b) || (!bothWays && side.has(a))) continue;
        made.push(`${a.name}>${b.name}`);
      }
    }
    for (const one of made) this.network.cuts.add(one);
    later(() => {
      for (const one of made) this.network.cuts.delete(one);
    });
  }

  private heal(): void {
    this.isPeace = true;
    this.world.trace('world', 'faults are over');
    this.network.cuts.clear();
    this.network.unknownNames.clear();
    for (const member of this.members) {
      if (member.process === null) member.start();
      else member.process.pausedUntilMs = 0;
    }
  }

  // ---- peace -----------------------------------------------------------------------------------------------

  private get leader(): Member | null {
    const leaders = this.members.filter(({ term }) => term?.term.role === 'leading' && term.epoch > 0);
    return leaders.length === 1 ? leaders[0]! : null;
  }

  private get isSettled(): boolean {
    const { leader } = this;
    if (leader === null) return false;
    return this.members.every(
      ({ term }) => term !== null && term.term.leader === leader.sid && term.epoch === leader.term!.epoch,
    );
  }

  private async settle(): Promise<void> {
    this.isPeace = true;
    const isDone = await this.world.run(() => this.isSettled, SETTLE_MS);
    if (isDone) return;
    const states = this.members.map(
      ({ sid, term }) =>
        `${sid}: ${term === null ? 'looking' : `${term.term.role} ${term.term.leader} in ${term.epoch}`}`,
    );
    throw new Violation(`in peace they find no common leader (${states.join(', ')})`);
  }

  private checkBest(): void {
    // What each had at the start is what the others were told: nobody has led before.
    const { leader } = this;
    if ((this.counts.get('leading') ?? 0) !== 1) return;
    const { best } = this;
    this.check(leader?.sid === best, `server ${leader?.sid} was elected; the best is ${best}`);
    if (this.world.violation !== null) throw this.world.violation;
    this.count('the best elected');
  }

  private async restartInPeace(): Promise<void> {
    const { prng } = this.world;
    const { leader } = this;
    const one = prng.pick(this.members.filter((member) => member !== leader));
    // Those who are left have to be a quorum.
    const rest = this.members.filter((member) => member !== one);
    if (!one.isObserver && !this.isQuorum(rest)) return;
    this.mayBegin = new Set([one]);
    one.crash(prng.chance(0.3));
    this.world.after(prng.below(500), () => one.start());
    const before = leader!.term!.epoch;
    await this.world.run(() => false, PEACE_MS);
    this.check(
      this.isSettled && leader!.term!.epoch === before,
      `server ${one.sid} restarted in peace and is not with the leader ${leader!.sid}`,
    );
    if (this.world.violation !== null) throw this.world.violation;
    this.count('restarted in peace');
  }
}

function isBetter(a: Member, b: Member): boolean {
  if (a.currentEpoch !== b.currentEpoch) return a.currentEpoch > b.currentEpoch;
  return a.standing.zxid !== b.standing.zxid ? a.standing.zxid > b.standing.zxid : a.sid > b.sid;
}
