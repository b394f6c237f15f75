/**
 * Who votes in an election, and whether enough of them have voted the same. While a configuration is being changed there
 * are two: votes of both count, and a newer one that was seen has to agree too. Immutable, pure.
 */
import type { Sid } from '../quorum/member.ts';
import type { QuorumConfig } from '../quorum/quorum-config.ts';
import { sameVote, type Vote } from './vote.ts';

export class Electorate {
  readonly committed: QuorumConfig;
  /** Who votes under either configuration: all are told, and all are heard. */
  readonly voters: ReadonlySet<Sid>;
  /** A configuration that was proposed and may yet be committed. */
  private readonly coming: QuorumConfig | null;

  constructor(committed: QuorumConfig, lastSeen: QuorumConfig) {
    this.committed = committed;
    this.voters = new Set([...committed.verifier.voters, ...lastSeen.verifier.voters]);
    this.coming = lastSeen.version > committed.version ? lastSeen : null;
  }

  /** Whether it is the committed configuration's text. */
  isCommitted(text: Uint8Array): boolean {
    const { bytes } = this.committed;
    return text.length === bytes.length && text.every((byte, i) => byte === bytes[i]);
  }

  /** Who voted as `vote`, when they decide; or null. */
  quorumFor(votes: ReadonlyMap<Sid, Vote>, vote: Vote): Sid[] | null {
    const agreeing: Sid[] = [];
    for (const [sid, other] of votes) if (sameVote(vote, other)) agreeing.push(sid);
    const set = new Set(agreeing);
    if (!this.committed.verifier.containsQuorum(set)) return null;
    return this.coming !== null && !this.coming.verifier.containsQuorum(set) ? null : agreeing;
  }
}
