/** The connections of a leader, by what its caller knows them by, and what it asks of all of them. Pure; core thread. */
import type { LearnerInfo } from '../../wire/quorum/payloads.ts';
import type { Sid } from '../quorum/member.ts';
import { LearnerRecord, type LinkId } from './learner-record.ts';

/** A server that no configuration names may follow, because that is how one joins; so many at a time. */
const STRANGERS_MAX = 8;

export class LearnerTable {
  private readonly rows = new Map<LinkId, LearnerRecord>();
  private nextAnonymous = -1;

  get(link: LinkId): LearnerRecord | undefined {
    return this.rows.get(link);
  }

  values(): IterableIterator<LearnerRecord> {
    return this.rows.values();
  }

  /** Connected; its first packet is due by `deadlineTick`. */
  add(link: LinkId, deadlineTick: number): void {
    this.rows.set(link, new LearnerRecord(link, deadlineTick));
  }

  remove(link: LinkId): void {
    this.rows.delete(link);
  }

  /** It has said who it is; one without an id gets one that is nobody's. */
  name(learner: LearnerRecord, info: LearnerInfo, isObserver: boolean): void {
    learner.sid = info.sid === -1 ? this.nextAnonymous-- : info.sid;
    learner.isObserver = isObserver;
    learner.isOurs = info.isOurs;
  }

  /** Older connections of the same server. */
  olderOf(learner: LearnerRecord): LearnerRecord[] {
    return [...this.rows.values()].filter(
      (other) => other !== learner && other.sid === learner.sid && other.phase !== 'greeting',
    );
  }

  /** Too many follow that `electors` do not know: says so; or null. */
  crowdOfStrangers(electors: { isMember(sid: Sid): boolean }): string | null {
    let count = 0;
    for (const { phase, sid } of this.rows.values())
      if (phase !== 'greeting' && !electors.isMember(sid)) count++;
    return count > STRANGERS_MAX
      ? `${STRANGERS_MAX} others follow that the configuration does not name`
      : null;
  }

  /** Followers that are in step. */
  followers(): Set<Sid> {
    const sids = new Set<Sid>();
    for (const { phase, sid, isObserver } of this.rows.values())
      if (phase === 'active' && !isObserver) sids.add(sid);
    return sids;
  }
}
