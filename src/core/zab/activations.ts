/**
 * Of one leadership, the changes of members that are in force, and whom each names as the leader: in a learner's stream they stand in place of a
 * COMMIT or an INFORM. Almost always empty. Pure; core thread.
 */
import type { Zxid } from '../../base/zxid.ts';
import type { Sid } from '../quorum/member.ts';
import type { ProposalLog } from './proposal-log.ts';

export class Activations {
  private readonly log: ProposalLog;
  private readonly rows: { readonly zxid: Zxid; readonly designated: Sid }[] = [];

  constructor(log: ProposalLog) {
    this.log = log;
  }

  /** Those that no stream can still need go. */
  add(zxid: Zxid, designated: Sid): void {
    const { rows, log } = this;
    while (rows.length > 0 && !log.reachesBackTo(rows[0]!.zxid - 1)) rows.shift();
    rows.push({ zxid, designated });
  }

  /** The first behind `zxid`; infinite if there is none. */
  nextBehind(zxid: Zxid): Zxid {
    for (const row of this.rows) if (row.zxid > zxid) return row.zxid;
    return Number.POSITIVE_INFINITY;
  }

  designatedBy(zxid: Zxid): Sid {
    return this.rows.find((row) => row.zxid === zxid)!.designated;
  }
}
