/**
 * Who belongs to the ensemble, between the machine that counts votes, the core that proposes a change, and what is known of it on
 * the disk and by the election. One term as leader; on the thread of the core.
 *
 *     core, a reconfig ─ onProposed ─▶ known (durable) ─▶ election, and the machine: both memberships count from there on
 *     machine, a quorum of both ─ onActivated ─▶ known (durable) ─▶ election
 */
import { makeZxid } from '../../base/zxid.ts';
import type { MembershipPort } from '../../core/quorum/membership-port.ts';
import type { QuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { Leader } from '../../core/zab/leader.ts';
import type { KnownMembership } from './known-membership.ts';
import type { TermControl } from './role-runner.ts';

export class LeaderMembership implements MembershipPort {
  readonly standaloneEnabled: boolean;
  private readonly known: KnownMembership;
  private readonly leader: Leader;
  private readonly control: TermControl;
  private isLeading = false;

  constructor(known: KnownMembership, standaloneEnabled: boolean, leader: Leader, control: TermControl) {
    this.known = known;
    this.standaloneEnabled = standaloneEnabled;
    this.leader = leader;
    this.control = control;
  }

  get committed(): QuorumConfig {
    return this.known.committed;
  }

  get lastSeen(): QuorumConfig {
    return this.known.lastSeen;
  }

  /** What NEWLEADER says: what is to come into force with it, or is by now. */
  get toldBytes(): Uint8Array {
    return (this.isLeading ? this.committed : this.lastSeen).bytes;
  }

  isQuorumSynced({ verifier }: QuorumConfig): boolean {
    return verifier.containsQuorum(this.leader.inStep());
  }

  /** A membership from files has version 0 on every server, whatever it says: the first leader gives it one that counts for more. */
  onEpoch(epoch: number): void {
    const { committed, lastSeen, reconfigEnabled } = this.known;
    if (!reconfigEnabled || committed.version !== 0 || lastSeen.version !== 0) return;
    this.see(committed.withVersion(makeZxid(epoch, 0)));
    this.leader.electors.rename(this.lastSeen);
  }

  /** A quorum has acknowledged NEWLEADER. */
  onLead(): void {
    this.isLeading = true;
    this.onActivated();
  }

  onProposed(config: QuorumConfig): void {
    this.see(config);
    this.leader.electors.propose(config);
  }

  onActivated(): void {
    this.known.onInForce(this.lastSeen);
    this.tell();
  }

  private see(config: QuorumConfig): void {
    this.known.onProposed(config);
    this.tell();
  }

  private tell(): void {
    this.control.configured(this.committed, this.lastSeen);
  }
}
