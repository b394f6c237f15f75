/**
 * Who leads, who follows, and since when: what one server says of itself (`mntr`, `srvr`) as a line of spans. One that does
 * not answer has no role, which is a span too. Pure.
 *
 *     follower |--------| (none) |----| leader |------------
 */
import type { RoleSpan } from '../result/run-json.ts';
import type { Timed } from './sample-series.ts';

interface RoleChange extends Timed {
  readonly role: string | null;
}

/** More than any run has; then the oldest are forgotten. */
const CHANGES_MAX = 4_096;

export class ServerRoles {
  private changes: RoleChange[] = [];

  /** In the order of time. */
  note(atMs: number, role: string | null): void {
    if (this.changes.at(-1)?.role === role) return;
    this.changes.push({ atMs, role });
    if (this.changes.length > CHANGES_MAX) this.changes = this.changes.slice(CHANGES_MAX / 2);
  }

  /** Between the two instants, counted from the first; empty when nothing was asked by then. */
  spans(fromMs: number, toMs: number): RoleSpan[] {
    const within = this.changes.filter(({ atMs }) => atMs > fromMs && atMs < toMs);
    const before = this.changes.filter(({ atMs }) => atMs <= fromMs).at(-1);
    return [
      ...(before === undefined ? [] : [{ fromMs: 0, role: before.role }]),
      ...within.map(({ atMs, role }) => ({ fromMs: atMs - fromMs, role })),
    ];
  }
}

/** `leader`, `follower`, `observer`, `standalone` or what else it says, of an answer to `mntr` or `srvr`; null without. */
export function roleIn(answer: string): string | null {
  return /^(?:zk_server_state\s+|Mode: )([\w-]+)/m.exec(answer)?.[1] ?? null;
}
