/**
 * A server's election on an event loop: ties the machine (core/election) to its links (net/election-mesh.ts) and to time.
 * Whoever runs the server's roles starts a search with `startLooking` and is told whom it found; in between the agent
 * goes on answering those who look.
 *
 *     mesh ──notification──▶ machine ──step──▶ mesh (send, dial again) · timer · port (decided, newer configuration)
 */
import type { Clock } from '../../base/clock.ts';
import type { EventLoop, LoopTimer } from '../../base/event-loop.ts';
import type { ElectionCounters, ElectionOptions, Standing } from '../../core/election/election-options.ts';
import type { Decision, ElectionStep, LookingVoter, Redial } from '../../core/election/election-step.ts';
import { FastLeaderElection } from '../../core/election/fast-leader-election.ts';
import type { Vote } from '../../core/election/vote.ts';
import type { Sid } from '../../core/quorum/member.ts';
import type { QuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { Refusal } from '../../net/election-connection.ts';
import type { MeshCounters } from '../../net/election-counters.ts';
import { ElectionMesh, type MeshOptions } from '../../net/election-mesh.ts';
import type { MeshPeer } from '../../net/election-peers.ts';
import type { Transport } from '../../net/transport.ts';
import { encodeNotification, ServerState } from '../../wire/election-notification.ts';

export interface ElectionPort {
  onDecided(decision: Decision): void;
  /**
   * Another server's committed configuration is newer, and this server is looking: take it up, `setConfigs`, and look
   * again. Only with `reconfigEnabled`.
   */
  onNewerConfig(config: QuorumConfig): void;
  /** A voter looks while this server leads, or the leader while it follows; see ElectionStep. */
  onLookingVoter(voter: LookingVoter): void;
  /** A connection of the election port was ended, for the operator's log. */
  onRefused(reason: Refusal, remote: string, sid: number): void;
  onUnreachable(sid: number, address: string, why: string): void;
  /** Its port cannot be had now and is tried again. */
  onListenLater(why: string): void;
}

export interface ElectionSetup {
  readonly election: ElectionOptions;
  readonly mesh: Omit<MeshOptions, 'sid'>;
  readonly committed: QuorumConfig;
  readonly lastSeen: QuorumConfig;
  readonly standing: Standing;
}

interface ElectionPlatform {
  readonly transport: Transport;
  readonly loop: EventLoop;
  readonly clock: Clock;
}

export class ElectionAgent {
  private readonly platform: ElectionPlatform;
  private readonly port: ElectionPort;
  private readonly machine: FastLeaderElection;
  private readonly mesh: ElectionMesh;
  private timer: LoopTimer | null = null;

  constructor(setup: ElectionSetup, platform: ElectionPlatform, port: ElectionPort) {
    const { election, mesh, committed, lastSeen, standing } = setup;
    this.platform = platform;
    this.port = port;
    this.machine = new FastLeaderElection(election, committed, lastSeen, standing);
    this.mesh = new ElectionMesh({ ...mesh, sid: election.sid }, platform, {
      onNotification: (from, notification) =>
        this.take(this.machine.onNotification(from, notification, this.nowMs())),
      onRefused: (reason, remote, sid) => port.onRefused(reason, remote, sid),
      onUnreachable: (sid, address, why, isLast) => {
        port.onUnreachable(sid, address, why);
        if (isLast) this.take(this.machine.onUnreachable(sid, this.nowMs()));
      },
      onLinkLost: (sid) => this.take(this.machine.onLinkLost(sid, this.nowMs())),
      onListenLater: (why) => port.onListenLater(why),
    });
    this.mesh.setMembers(peersOf(committed), peersOf(lastSeen));
  }

  /** Opens the election port, which stays open whatever the server becomes. @throws BindFailure */
  listen(): Promise<void> {
    return this.mesh.listen();
  }

  get currentVote(): Vote {
    return this.machine.currentVote;
  }

  get electionCounters(): ElectionCounters {
    return this.machine.counters;
  }

  get meshCounters(): MeshCounters {
    return this.mesh.counters;
  }

  startLooking(standing: Standing): void {
    this.take(this.machine.startLooking(standing, this.nowMs()));
  }

  /** See FastLeaderElection. */
  setPeerEpoch(peerEpoch: number): void {
    this.machine.setPeerEpoch(peerEpoch);
  }

  /** Nobody searched: a configuration has named the leader. */
  setLeader(leader: Sid, state: ServerState, zxid: number): void {
    this.machine.setLeader(leader, state, zxid);
  }

  /** Another membership: all links are made anew. One that differs by its version alone leaves them. */
  setConfigs(committed: QuorumConfig, lastSeen: QuorumConfig, isAnotherMembership: boolean): void {
    this.machine.setConfigs(committed, lastSeen);
    this.mesh.setMembers(peersOf(committed), peersOf(lastSeen));
    if (isAnotherMembership) this.mesh.dropLinks();
  }

  close(): void {
    this.timer?.cancel();
    this.timer = null;
    this.machine.stop();
    this.mesh.close();
  }

  private take(step: ElectionStep): void {
    for (const { to, notification } of step.send) {
      const frame = encodeNotification(notification);
      for (const sid of to) this.mesh.send(sid, frame);
    }
    if (step.connectAll) this.mesh.connectAll();
    if (step.redial !== null) this.redial(step.redial);
    this.timer?.cancel();
    this.timer = step.timerAtMs === null ? null : this.timerAt(step.timerAtMs);
    if (step.lookingVoter !== null) this.port.onLookingVoter(step.lookingVoter);
    // What was decided is to be done by it.
    if (step.newerConfig !== null) this.port.onNewerConfig(step.newerConfig);
    if (step.decided !== null) this.port.onDecided(step.decided);
  }

  private redial({ sid, pauseMs }: Redial): void {
    if (pauseMs === 0) this.mesh.connect(sid);
    else
      this.platform.loop.after(pauseMs, () => {
        if (this.machine.state === ServerState.looking) this.mesh.connect(sid);
      });
  }

  private timerAt(atMs: number): LoopTimer {
    // Rounded up: a timer that is early would find nothing to do.
    const delayMs = Math.max(0, Math.ceil(atMs - this.nowMs()));
    return this.platform.loop.after(delayMs, () => {
      this.timer = null;
      this.take(this.machine.onTimer(this.nowMs(), this.mesh.wasDelivered));
    });
  }

  private nowMs(): number {
    return this.platform.clock.monotonicMs();
  }
}

/** Where the members' election ports are. */
function peersOf(config: QuorumConfig): MeshPeer[] {
  return config.members.map(({ sid, addresses }) => ({
    sid,
    addresses: addresses.map(({ host, electionPort }) => ({ host, port: electionPort })),
  }));
}
