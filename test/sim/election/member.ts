/**
 * A simulated member: the real QuorumPeer, agent, machine and mesh on virtual time, and terms that are told rather than carried
 * out (`terms.ts`): what is tested here is who is elected, found and told. Its disk is the history and the epochs.
 */
import type { EventLoop, LoopTimer } from '../../../src/base/event-loop.ts';
import type { Standing } from '../../../src/core/election/election-options.ts';
import { parseQuorumConfig, type QuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { QuorumPeer } from '../../../src/server/ensemble/quorum-peer.ts';
import type { RoleRunner, RunningTerm, Term, TermControl } from '../../../src/server/ensemble/role-runner.ts';
import { decodeNotification, encodeNotification } from '../../../src/wire/election-notification.ts';
import type { World } from '../world.ts';
import type { ElectionNetwork, Host } from './network.ts';
import type { ElectionVariant } from './variants.ts';

export const ELECTION_PORT = 3888;

/** A term as the members of a run see it. */
export interface PlayedTerm extends RunningTerm {
  readonly term: Term;
  /** In force; 0 = not yet. */
  readonly epoch: number;
  /** Its process has died. */
  drop(): void;
  /** What `leader` has, this learner has. */
  follow(leader: Member): void;
}

/** What a member sees of its run. */
export interface MemberWorld {
  readonly world: World;
  readonly network: ElectionNetwork;
  readonly variant: ElectionVariant | null;
  readonly members: readonly Member[];
  begin(process: Process, term: Term, control: TermControl): PlayedTerm;
}

export class Member {
  readonly sid: number;
  readonly isObserver: boolean;
  readonly cluster: MemberWorld;
  history: number[] = [];
  acceptedEpoch = 0;
  currentEpoch = 0;
  process: Process | null = null;

  constructor(cluster: MemberWorld, sid: number, isObserver: boolean) {
    this.cluster = cluster;
    this.sid = sid;
    this.isObserver = isObserver;
  }

  get name(): string {
    return `s${this.sid}`;
  }

  get standing(): Standing {
    return { zxid: this.history.at(-1) ?? 0, currentEpoch: this.currentEpoch };
  }

  get term(): PlayedTerm | null {
    return this.process?.term ?? null;
  }

  start(): void {
    this.cluster.network.revive(this.name);
    this.process = new Process(this);
    this.process.start();
  }

  crash(power: boolean): void {
    const { process } = this;
    if (process === null) return;
    this.process = null;
    process.die();
    this.cluster.network.kill(process, power);
    this.cluster.world.trace(this.name, 'is gone');
  }
}

/** From start to crash. */
export class Process implements Host, RoleRunner {
  readonly hasVote = true;
  readonly member: Member;
  readonly name: string;
  isAlive = true;
  pausedUntilMs = 0;
  term: PlayedTerm | null = null;
  peer: QuorumPeer | null = null;
  private readonly dialled = new Set<string>();

  constructor(member: Member) {
    this.member = member;
    this.name = member.name;
  }

  private get cluster(): MemberWorld {
    return this.member.cluster;
  }

  start(): void {
    const { cluster, member } = this;
    const { sid } = member;
    const config = configFor(cluster, member);
    const intervals = { minNotificationIntervalMs: 200, maxNotificationIntervalMs: 2000 };
    const silent = (): void => {};
    this.peer = new QuorumPeer(
      {
        election: { sid, ...intervals, reconfigEnabled: false },
        mesh: {
          addresses: [{ host: this.name, port: ELECTION_PORT }],
          listenOnAllIps: false,
          multiAddress: false,
          connectTimeoutMs: 1000,
          greetingTimeoutMs: 1000,
          keepAlive: false,
          bindAttempts: 3,
        },
        committed: config,
        lastSeen: config,
        standing: member.standing,
        observerElectionDelayMs: 100,
        readOnlyAfterMs: null,
      },
      {
        transport: this.transport(),
        loop: this.loop(),
        clock: { monotonicMs: () => cluster.world.nowMs, wallMs: () => cluster.world.wallMs },
        entropy: () => cluster.world.prng.uint32(),
      },
      this,
      {
        debug: silent,
        info: (text) => cluster.world.trace(this.name, text),
        warn: (text) => cluster.world.trace(this.name, text),
        error: silent,
      },
    );
    void this.peer.start();
  }

  die(): void {
    this.isAlive = false;
    this.term?.drop();
  }

  run(callback: () => void): void {
    const { world } = this.cluster;
    world.after(Math.max(0, this.pausedUntilMs - world.nowMs), () => {
      if (!this.isAlive) return;
      if (world.nowMs < this.pausedUntilMs) this.run(callback);
      else callback();
    });
  }

  private loop(): EventLoop {
    const { world } = this.cluster;
    const after = (delayMs: number, callback: () => void): LoopTimer => {
      let isOn = true;
      world.after(delayMs, () => this.run(() => isOn && callback()));
      return { cancel: () => void (isOn = false) };
    };
    const every = (intervalMs: number, callback: () => void): LoopTimer => {
      let isOn = true;
      const again = (): void => {
        after(intervalMs, () => {
          if (!isOn) return;
          callback();
          again();
        });
      };
      again();
      return { cancel: () => void (isOn = false) };
    };
    return { soon: (callback) => this.run(callback), after, every };
  }

  private transport() {
    const { network, variant } = this.cluster;
    const real = network.transportOf(this);
    if (variant?.dialsOnce !== true) return real;
    return {
      ...real,
      dial: (...args: Parameters<typeof real.dial>) => {
        const [options] = args;
        const isSecond = this.dialled.has(options.host);
        this.dialled.add(options.host);
        return real.dial(isSecond ? { ...options, host: 'nowhere' } : options, args[1], args[2]);
      },
    };
  }

  alter(bytes: Uint8Array, to: string): Uint8Array | null {
    const { variant } = this.cluster;
    // An initial message begins with a negative number, a frame with its length.
    if (bytes[0] === 0xff) return variant?.neverAsksToBeCalled === true && to > this.name ? null : bytes;
    const alter = variant?.alter;
    if (alter === undefined) return bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const notification = decodeNotification(bytes, view, 4, bytes.length);
    if (typeof notification !== 'object') return bytes;
    const altered = alter(notification, this.member.sid);
    return altered === null ? null : encodeNotification(altered);
  }

  // ---- RoleRunner ------------------------------------------------------------------------------------------

  begin(term: Term, control: TermControl): RunningTerm {
    return this.cluster.begin(this, term, control);
  }
  onConfigLearned(): void {}
  beginReadOnly(): void {}
  endReadOnly(): void {}
}

/** What its configuration says; of a broken variant, what its machine makes of it. */
function configFor({ members, variant }: MemberWorld, own: Member): QuorumConfig {
  const roleOf = (member: Member): string => {
    if (!member.isObserver) return 'participant';
    return variant?.quorum === 'observers too' ? 'participant' : 'observer';
  };
  const lines = members.map(
    (member) => `server.${member.sid}=${member.name}:2888:${ELECTION_PORT}:${roleOf(member)}`,
  );
  if (variant?.quorum === 'one less') {
    // A group in which this server weighs as much as another.
    const voters = members.filter((member) => !member.isObserver);
    lines.push(`group.1=${voters.map(({ sid }) => sid).join(':')}`, `weight.${own.sid}=2`);
  }
  return parseQuorumConfig(lines.join('\n'));
}
