/**
 * A simulated ensemble of the real protocol machines: faults by seed, an election that often errs (so that discovery has to catch
 * it), and the checks that may never fail:
 *
 *     one history      what anybody commits is a prefix of the one sequence of committed transactions, or its next
 *     durable          at the moment of a decision a quorum of voters has it on its disks, everything before included
 *     kept             a new leader has everything that was ever committed
 *     alive            once faults stop, everybody serves the same history and writes are decided
 *     calm             when nothing is asked, nobody stops serving
 */
import { epochOf, type Zxid, zxidHex } from '../../../src/base/zxid.ts';
import { MajorityVerifier, type QuorumVerifier } from '../../../src/core/quorum/quorum-verifier.ts';
import { Violation, World } from '../world.ts';
import { Leading } from './leading.ts';
import { Link } from './link.ts';
import { Member } from './member.ts';
import type { Txn } from './member-disk.ts';
import type { Judge } from './surroundings.ts';
import type { ZabVariant } from './variants.ts';

const FAULTS_MS = 6000;
const HEALING_MS = 60_000;
/** Longer than any limit of the protocol. */
const QUIET_MS = 3000;

export interface ZabRun {
  readonly counts: ReadonlyMap<string, number>;
  readonly committed: number;
  readonly virtualMs: number;
  readonly lines: readonly string[];
}

export class ZabCluster implements Judge<Member> {
  readonly world: World;
  /** In every second seed. */
  readonly isOurs: boolean;
  readonly variant: ZabVariant;
  readonly members: Member[] = [];
  readonly voters: readonly Member[];
  readonly tickMs = 100;
  readonly latencyMsMax: number;
  readonly syncMsMax: number;
  /** The one sequence of committed transactions. */
  private readonly committed: Txn[] = [];
  private readonly counts = new Map<string, number>();
  private readonly links: { readonly a: Member; readonly b: Member; readonly link: Link }[] = [];
  private readonly parted = new Set<string>();
  private isHealed = false;
  private isQuiet = false;
  private nextValue = 1;

  constructor(seed: number, variant: ZabVariant, traced: boolean) {
    this.world = new World(seed, traced);
    this.isOurs = seed % 2 === 1;
    this.variant = variant;
    const { prng } = this.world;
    this.latencyMsMax = prng.pick([1, 5, 40]);
    this.syncMsMax = prng.pick([1, 10, 80]);
    const voters =
      variant === 'minority' ? 5 : variant === 'observerVotes' ? 3 : prng.pick([1, 2, 3, 3, 3, 5, 5, 7]);
    const observers = variant === 'observerVotes' ? 2 : prng.pick([0, 0, 1, 2]);
    for (let sid = 1; sid <= voters + observers; sid++)
      this.members.push(new Member(this, sid, sid > voters));
    this.voters = this.members.filter((member) => !member.isObserver);
  }

  run(): ZabRun {
    this.scheduleWork();
    this.scheduleFaults();
    this.world.runAtOnce(() => false, FAULTS_MS);
    this.heal();
    const wanted = this.committed.length + 3;
    const isWhole = (): boolean =>
      this.committed.length >= wanted &&
      this.members.every(({ isServing }) => isServing) &&
      this.members.every((member) => this.committedCount(member) === this.committed.length);
    this.check(
      this.world.runAtOnce(isWhole, HEALING_MS),
      'after all faults not everybody serves the same history',
    );
    this.isQuiet = true;
    const leaderships = this.counts.get('leadership');
    this.world.runAtOnce(() => false, QUIET_MS);
    this.check(
      this.counts.get('leadership') === leaderships && this.members.every(({ isServing }) => isServing),
      'somebody stopped serving when nothing was asked of it',
    );
    return {
      counts: this.counts,
      committed: this.committed.length,
      virtualMs: this.world.virtualMs,
      lines: this.world.lines ?? [],
    };
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** A text that has to be made is a function: checks are made at every step, and hardly one fails. */
  check(holds: boolean, what: string | (() => string)): void {
    if (!holds) throw new Violation(typeof what === 'string' ? what : what());
  }

  private connect(learner: Member, leader: Member): void {
    const link = new Link(this.world, this.latencyMsMax);
    this.links.push({ a: learner, b: leader, link });
    learner.follow(leader, link);
    if (!this.isReachable(learner, leader)) link.close(null);
  }

  verifierFor(member: Member): QuorumVerifier {
    if (this.variant === 'observerVotes') return new MajorityVerifier(this.members.map(({ sid }) => sid));
    if (this.variant === 'minority') {
      const other = this.voters[(this.voters.indexOf(member) + 1) % this.voters.length]!;
      return new MajorityVerifier([member.sid, other.sid, 0]);
    }
    return this.verifier;
  }

  private get verifier(): QuorumVerifier {
    return new MajorityVerifier(this.voters.map(({ sid }) => sid));
  }

  // ---- election ------------------------------------------------------------------------------------------

  /** Somebody looks: mostly it follows a leader, or the best is elected; often it is somebody else. */
  elect(member: Member): void {
    const { prng } = this.world;
    const others = this.members.filter(
      (other) => other !== member && other.isUp && this.isReachable(member, other),
    );
    const leaders = others.filter((other) => other.role instanceof Leading);
    if (leaders.length > 0 && (this.isHealed || prng.chance(0.9))) {
      this.connect(member, prng.pick(leaders));
      return;
    }
    const candidates = others.concat(member).filter((other) => other.isLooking && !other.isObserver);
    // A real election hears a quorum; one that errs may have heard less.
    const isFair = this.isHealed || prng.chance(0.7);
    if (candidates.length === 0 || (isFair && candidates.length <= this.voters.length / 2)) return;
    const best = candidates.reduce((a, b) => (this.isBetter(b, a) ? b : a));
    const chosen = isFair ? best : prng.pick(candidates);
    if (!isFair) this.count('wrong election');
    if (chosen.isLooking && !(chosen.role instanceof Leading)) chosen.lead();
    if (chosen !== member) this.connect(member, chosen);
  }

  private isBetter(a: Member, b: Member): boolean {
    if (a.disk.currentEpoch !== b.disk.currentEpoch) return a.disk.currentEpoch > b.disk.currentEpoch;
    if (a.disk.lastZxid !== b.disk.lastZxid) return a.disk.lastZxid > b.disk.lastZxid;
    return a.sid > b.sid;
  }

  // ---- checks --------------------------------------------------------------------------------------------

  /** What was committed stays so; what the leader has beyond it is committed now. */
  onLead(member: Member): void {
    const { records } = member.disk;
    const knowing = this.voters.filter(({ disk }) => disk.currentEpoch >= member.disk.currentEpoch);
    this.check(
      this.verifier.containsQuorum(new Set(knowing.map(({ sid }) => sid))),
      `server ${member.sid} leads epoch ${member.disk.currentEpoch}, which no quorum has on its disks`,
    );
    for (const [i, txn] of this.committed.entries()) {
      // A leader that others have left already, and which nobody has told, may begin: it decides nothing of its own any more.
      if (epochOf(txn.zxid) >= member.disk.currentEpoch) break;
      this.check(
        records[i]?.zxid === txn.zxid && records[i]?.value === txn.value,
        () => `server ${member.sid} leads without the committed 0x${zxidHex(txn.zxid)}`,
      );
    }
    this.count('leadership');
    member.isServing = true;
    this.decideUpTo(member, member.disk.lastZxid);
  }

  /** Nobody else may come to lead this epoch, or an older one. */
  onPromised(member: Member, epoch: number): void {
    const promised = this.voters.filter(({ disk }) => disk.acceptedEpoch >= epoch);
    this.check(
      this.verifier.containsQuorum(new Set(promised.map(({ sid }) => sid))),
      `server ${member.sid} goes on to lead epoch ${epoch}, which no quorum has promised on its disks`,
    );
  }

  onDecided(member: Member, zxid: Zxid): void {
    this.decideUpTo(member, zxid);
  }

  private decideUpTo(member: Member, zxid: Zxid): void {
    const { records } = member.disk;
    for (let i = member.checkedCount; i < records.length && records[i]!.zxid <= zxid; i++) {
      const txn = records[i]!;
      const known = this.committed[i];
      member.checkedCount = i + 1;
      if (known !== undefined) {
        this.check(
          known.zxid === txn.zxid && known.value === txn.value,
          () => `0x${zxidHex(txn.zxid)} is committed in place of 0x${zxidHex(known.zxid)}`,
        );
        continue;
      }
      const holders = new Set(this.voters.filter(({ disk }) => disk.holds(i, txn)).map(({ sid }) => sid));
      this.check(
        this.verifier.containsQuorum(holders),
        () => `0x${zxidHex(txn.zxid)} is decided, and only ${[...holders].join()} have it on their disks`,
      );
      this.committed.push(txn);
    }
    member.committedZxid = Math.max(member.committedZxid, zxid);
  }

  /** Everything that this server shows to clients was committed, in this order. */
  onServing(member: Member): void {
    const records = member.loaded ?? member.disk.records;
    for (let i = member.checkedCount; i < records.length && records[i]!.zxid <= member.committedZxid; i++) {
      const known = this.committed[i];
      member.checkedCount = i + 1;
      this.check(
        known !== undefined && known.zxid === records[i]!.zxid && known.value === records[i]!.value,
        () => `server ${member.sid} shows 0x${zxidHex(records[i]!.zxid)}, which is not committed there`,
      );
    }
  }

  /** So many of the server's records are the committed ones. */
  committedCount(member: Member): number {
    const { records } = member.disk;
    let count = 0;
    while (
      count < records.length &&
      this.committed[count]?.zxid === records[count]!.zxid &&
      this.committed[count]!.value === records[count]!.value
    )
      count++;
    return count;
  }

  // ---- work and faults -----------------------------------------------------------------------------------

  private scheduleWork(): void {
    this.world.after(this.isHealed ? 40 : this.world.span(1, 40), () => {
      if (this.isQuiet) return;
      this.scheduleWork();
      for (const { role } of this.members) {
        if (!(role instanceof Leading)) continue;
        for (let n = this.world.prng.below(this.isHealed ? 3 : 6); n > 0; n--) role.propose(this.nextValue++);
      }
    });
  }

  private isReachable(a: Member, b: Member): boolean {
    return !this.parted.has(`${a.sid} ${b.sid}`) && !this.parted.has(`${b.sid} ${a.sid}`);
  }

  private scheduleFaults(): void {
    const { world } = this;
    world.after(world.span(20, 900), () => {
      if (this.isHealed) return;
      this.scheduleFaults();
      const member = world.prng.pick(this.members);
      switch (world.prng.below(6)) {
        case 0:
        case 1:
          this.count('crash');
          if (member.isUp) member.crash();
          world.after(world.span(10, 1500), () => !member.isUp && member.restart());
          return;
        case 2:
          this.count('crash of all');
          for (const each of this.members) if (each.isUp) each.crash();
          for (const each of this.members)
            world.after(world.span(10, 800), () => !each.isUp && each.restart());
          return;
        case 3:
          this.part(member);
          return;
        case 4: {
          this.count('reset');
          const open = this.links.filter(({ link }) => link.isOpen);
          if (open.length > 0) world.prng.pick(open).link.close(null);
          return;
        }
        default: {
          this.count('stall');
          const open = this.links.filter(({ link }) => link.isOpen);
          if (open.length > 0) world.prng.pick(open).link.stall(world.span(10, 900));
        }
      }
    });
  }

  private part(member: Member): void {
    this.count('partition');
    const cut = this.members.filter((other) => other !== member && this.world.prng.chance(0.6));
    for (const other of cut) this.parted.add(`${member.sid} ${other.sid}`);
    for (const { a, b, link } of this.links) if (!this.isReachable(a, b)) link.close(null);
    this.world.after(this.world.span(50, 2000), () => {
      for (const other of cut) this.parted.delete(`${member.sid} ${other.sid}`);
    });
  }

  private heal(): void {
    this.isHealed = true;
    this.parted.clear();
    for (const member of this.members) if (!member.isUp) member.restart();
  }
}
