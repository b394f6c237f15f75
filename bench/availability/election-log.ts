/**
 * How long servers took to elect, as their own logs say it: ours from two lines of one server, Apache's from one.
 *
 *     ringkeeper  {"time":T0,...,"msg":"looking for a leader"}  ...  {"time":T1,...,"round":2,...,"msg":"leading"}      T1 - T0
 *     Apache      LEADING - LEADER ELECTION TOOK - 204 MS
 */
import { monotonicMs } from '../base/phase-clock.ts';

export interface Election {
  /** When the line was read, of the monotonic clock. */
  readonly atMs: number;
  readonly role: 'leading' | 'following';
  readonly tookMs: number;
}

/** What Apache's servers must be started with to say so; all else stays at warnings. */
export const ELECTION_JAVA_ARGS: readonly string[] = ['Leader', 'Follower'].map(
  (name) => `-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper.server.quorum.${name}=info`,
);

const APACHE = /(LEADING|FOLLOWING) - LEADER ELECTION TOOK - (\d+) MS/;
const OURS = /^\{.*"time":"([^"]+)".*"msg":"(looking for a leader|leading|following [^"]*)"/;

export class ElectionLog {
  readonly elections: Election[] = [];
  /** By server, of the wall clock. */
  private readonly lookingSince = new Map<number, number>();
  private readonly nowMs: () => number;
  private readonly sinceMs: number;

  constructor(nowMs: () => number = monotonicMs) {
    this.nowMs = nowMs;
    this.sinceMs = nowMs();
  }

  onLine(sid: number, line: string): void {
    const apache = APACHE.exec(line);
    if (apache !== null) this.add(apache[1] === 'LEADING' ? 'leading' : 'following', Number(apache[2]));
    const ours = OURS.exec(line);
    if (ours === null) return;
    const [, time, what] = ours;
    const atMs = Date.parse(time!);
    if (what === 'looking for a leader') {
      this.lookingSince.set(sid, atMs);
      return;
    }
    // The second `leading` says that it leads, the first one that it was elected.
    const sinceMs = this.lookingSince.get(sid);
    this.lookingSince.delete(sid);
    if (sinceMs !== undefined) this.add(what === 'leading' ? 'leading' : 'following', atMs - sinceMs);
  }

  private add(role: Election['role'], tookMs: number): void {
    const atMs = this.nowMs();
    // Where there was no election (a leader is named by a reconfiguration) Apache counts from the start of the machine.
    if (tookMs <= atMs - this.sinceMs) this.elections.push({ atMs, role, tookMs });
  }
}
