/** What goes wrong in a run: each seed draws some of the kinds and how often they come. */
import { epochOf } from '../../../src/base/zxid.ts';
import type { SimClient } from '../sim-client.ts';
import type { World } from '../world.ts';
import type { EnsembleJudge } from './ensemble-judge.ts';
import type { EnsembleMember } from './member.ts';
import type { PeerNetwork } from './peer-network.ts';
import { Stranger } from './stranger.ts';

export const ENSEMBLE_FAULTS = [
  ...['crash', 'crashOfLeader', 'crashOfAll', 'powerLoss', 'powerLossOfAll', 'powerLossInDiskCall'],
  ...['restart', 'wipe', 'pause', 'pauseOfLeader', 'clockJump', 'slowDisk', 'failedSync', 'fullDisk'],
  ...['partition', 'oneWayCut', 'isolation', 'peerReset', 'peerStall', 'lostName', 'stranger'],
  ...['clientStall', 'clientReset', 'clientHalfOpen'],
] as const;
export type EnsembleFault = (typeof ENSEMBLE_FAULTS)[number];

/** What can be wrong for how long. */
const SPAN_MS_MAX = 4000;
const DOWN_MS_MAX = 2500;
/** Of a fault: that it is another one of those that are harsh on everybody. */
const RARE = 0.3;

export class EnsembleFaults {
  readonly counts = new Map<EnsembleFault, number>();
  /** By kind, and what the ensemble was doing. */
  readonly phases = new Set<string>();
  /** Nothing goes wrong any more. */
  isOver = false;
  private always: readonly EnsembleFault[] = [];
  private readonly world: World;
  private readonly judge: EnsembleJudge;
  private readonly network: PeerNetwork;
  private readonly members: readonly EnsembleMember[];
  private readonly clients: readonly SimClient[];

  constructor(
    world: World,
    judge: EnsembleJudge,
    network: PeerNetwork,
    members: readonly EnsembleMember[],
    clients: readonly SimClient[],
  ) {
    this.world = world;
    this.judge = judge;
    this.network = network;
    this.members = members;
    this.clients = clients;
  }

  /** Each kind with its own rhythm; `always`: also the harsh ones, each time. */
  schedule(kinds: readonly EnsembleFault[], everyMsMax: number, always: readonly EnsembleFault[]): void {
    const { world } = this;
    this.always = always;
    for (const kind of kinds) {
      const next = (): void =>
        world.after(everyMsMax * (0.05 + world.prng.fraction()), () => {
          if (this.isOver) return;
          this.strike(kind);
          next();
        });
      next();
    }
  }

  /** Who is down comes up again, on a disk that works. */
  keepUp(): void {
    const { world } = this;
    for (const member of this.members) {
      const look = (): void => {
        if (!member.isHeld && !member.server.isRunning) member.start();
        world.after(this.isOver ? 100 : world.span(10, DOWN_MS_MAX), look);
      };
      look();
    }
  }

  heal(): void {
    this.isOver = true;
    this.network.cuts.clear();
    this.network.unknownNames.clear();
    for (const { server } of this.members) {
      server.diskMsMax = 1;
      server.calm();
    }
  }

  private strike(kind: EnsembleFault): void {
    const { judge } = this;
    const leader = this.leader;
    const phase = leader === undefined ? 'no leader' : 'a leader';
    if (!this.apply(kind, leader)) return;
    judge.world.trace('fault', `${kind} (${phase})`);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.phases.add(`${kind}, ${phase}`);
  }

  private get leader(): EnsembleMember | undefined {
    return this.members.find(({ role }) => role === 'leader');
  }

  /** False: it could not be done now. */
  private apply(kind: EnsembleFault, leader: EnsembleMember | undefined): boolean {
    const { prng } = this.world;
    const member = prng.pick(this.members);
    switch (kind) {
      case 'crashOfLeader':
        return leader !== undefined && this.strikeServer('crash', leader);
      case 'pauseOfLeader':
        return leader !== undefined && this.strikeServer('pause', leader);
      case 'crashOfAll':
      case 'powerLossOfAll':
        return (this.always.includes(kind) || prng.chance(RARE)) && this.strikeAll(kind === 'powerLossOfAll');
      case 'clockJump':
        this.world.setWallClock(Math.round((prng.fraction() - 0.5) * 10_000_000));
        return true;
      case 'slowDisk':
        member.server.diskMsMax = prng.pick([1, 10, 100]);
        if (this.always.includes(kind)) for (const { server } of this.members) server.diskMsMax = 100;
        return true;
      case 'wipe':
        return this.wipe(member);
      case 'partition':
      case 'oneWayCut':
      case 'isolation':
      case 'lostName':
      case 'peerReset':
      case 'peerStall':
        return this.strikeNetwork(kind, member, leader);
      case 'stranger':
        new Stranger(this.network, member.name);
        return true;
      case 'clientStall':
      case 'clientReset':
      case 'clientHalfOpen':
        return this.strikeClient(kind, prng.pick(this.clients));
      default:
        return member.server.isRunning && this.strikeServer(kind, member);
    }
  }

  private strikeAll(hasPowerLoss: boolean): boolean {
    for (const member of this.members) {
      if (!member.server.isRunning) continue;
      if (hasPowerLoss) member.powerLoss();
      else member.crash();
    }
    return true;
  }

  private strikeServer(kind: EnsembleFault, member: EnsembleMember): boolean {
    const { world } = this;
    const { prng } = world;
    const { server } = member;
    switch (kind) {
      case 'crash':
        member.crash();
        return true;
      case 'powerLoss':
        member.powerLoss();
        return true;
      case 'powerLossInDiskCall':
        server.powerLossWithin(prng.below(12));
        return true;
      case 'pause':
        server.pause(world.span(20, SPAN_MS_MAX));
        return true;
      case 'restart':
        void server.stop();
        return true;
      case 'failedSync':
        member.mayEnd = true;
        server.disk.syncsLeft = prng.below(4);
        return true;
      default:
        member.mayEnd = true;
        server.disk.bytesFree = prng.below(20_000);
        return true;
    }
  }

  /**
   * A server gets another disk with nothing on it, which is a voter that forgets what it has said: only while it is down, and
   * while so many others have everything it had, promises included, that each quorum has one of them.
   */
  private wipe(member: EnsembleMember): boolean {
    if (member.isHeld || !member.server.isRunning) return false;
    member.isHeld = true;
    member.crash();
    let tries = 0;
    const attempt = (): void => {
      if (!this.isOver && !this.mayForget(member) && tries++ < 30) {
        this.world.after(100, attempt);
        return;
      }
      if (this.mayForget(member)) {
        this.world.trace(member.name, 'gets an empty disk');
        this.judge.count('wiped');
        member.wipe();
      }
      member.isHeld = false;
    };
    this.world.after(100, attempt);
    return true;
  }

  private mayForget(member: EnsembleMember): boolean {
    if (!member.isVoter) return true;
    const voters = this.members.filter(({ isVoter }) => isVoter);
    const quorum = Math.floor(voters.length / 2) + 1;
    const { chronicle } = this.judge;
    const having = voters.filter(
      (other) =>
        other !== member &&
        other.isInStep &&
        other.acceptedEpoch >= member.acceptedEpoch &&
        other.currentEpoch >= member.currentEpoch &&
        epochOf(other.durableZxid) >= epochOf(member.witness.head) &&
        chronicle.holds(chronicle.within(other.witness.head, other.durableZxid) ?? 0, member.witness.head) ===
          true,
    );
    return having.length >= voters.length - quorum + 1;
  }

  private strikeNetwork(
    kind: EnsembleFault,
    member: EnsembleMember,
    leader: EnsembleMember | undefined,
  ): boolean {
    const { world, network } = this;
    const { prng } = world;
    const forMs = world.span(20, SPAN_MS_MAX);
    if (kind === 'lostName') {
      network.unknownNames.add(member.name);
      world.after(forMs, () => network.unknownNames.delete(member.name));
      return true;
    }
    if (kind === 'peerReset' || kind === 'peerStall') {
      const connections = [...network.connections];
      if (connections.length === 0) return false;
      const connection = prng.pick(connections);
      if (kind === 'peerReset') connection.reset();
      else connection.stalledUntilMs = world.nowMs + forMs;
      return true;
    }
    // Who is on one side: some of them, or one alone, often the leader.
    const alone = leader !== undefined && prng.chance(0.5) ? leader : member;
    const isInside = (one: EnsembleMember): boolean =>
      kind === 'isolation' ? one === alone : prng.chance(0.5);
    this.cut(new Set(this.members.filter(isInside)), kind !== 'oneWayCut', forMs);
    return true;
  }

  private cut(inside: ReadonlySet<EnsembleMember>, bothWays: boolean, forMs: number): void {
    const { network } = this;
    const made: string[] = [];
    for (const a of this.members) {
      for (const b of this.members) {
        if (inside.has(a) === inside.has(b) || (!bothWays && inside.has(a))) continue;
        made.push(`${a.name}>${b.name}`);
      }
    }
    for (const one of made) network.cuts.add(one);
    this.world.after(forMs, () => {
      for (const one of made) network.cuts.delete(one);
    });
  }

  private strikeClient(kind: EnsembleFault, client: SimClient): boolean {
    const { world } = this;
    const { connection } = client;
    if (connection === null) return false;
    const stream = world.prng.pick([connection.toServer, connection.toClient]);
    if (kind === 'clientReset') connection.reset();
    else if (kind === 'clientHalfOpen') stream.isDeaf = true;
    else stream.stalledUntilMs = world.nowMs + world.span(1, SPAN_MS_MAX);
    return true;
  }
}
