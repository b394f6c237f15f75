/**
 * What a leader is told of the sessions that its learners serve: heard of (PING), and whether one may go on elsewhere (REVALIDATE). Core
 * thread.
 */
import { TOUCH_BYTES } from '../../wire/quorum/payloads.ts';
import type { ClientTable } from '../client/client-table.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import type { SessionLifecycle } from '../request/session-lifecycle.ts';
import { NO_SESSION, type SessionTable } from '../session/session-table.ts';

export interface LearnerSessionParts {
  readonly sessions: SessionTable;
  readonly clients: ClientTable;
  readonly clock: TurnClock;
}

export class LearnerSessions {
  private readonly parts: LearnerSessionParts;
  private readonly lifecycle: SessionLifecycle;

  constructor(parts: LearnerSessionParts, lifecycle: SessionLifecycle) {
    this.parts = parts;
    this.lifecycle = lifecycle;
  }

  /** As many touches as fit in `[start, end)`. */
  touch(view: DataView, start: number, end: number): void {
    const { sessions, clock } = this.parts;
    for (let at = start; at + TOUCH_BYTES <= end; at += TOUCH_BYTES) {
      const slot = sessions.find(view.getInt32(at), view.getInt32(at + 4));
      if (slot === NO_SESSION || sessions.isClosing(slot)) continue;
      const timeoutMs = view.getInt32(at + 8);
      if (timeoutMs > 0 && timeoutMs !== sessions.touchTimeoutMs[slot]) {
        this.lifecycle.expiry.renegotiate(slot, timeoutMs, clock.nowMs);
      } else sessions.touch(slot, clock.nowMs);
    }
  }

  /** A client asks the learner `link` to go on with a session. False: it has ended. */
  revalidate(link: number, high: number, low: number, timeoutMs: number): boolean {
    const { sessions, clients, clock } = this.parts;
    const slot = sessions.find(high, low);
    if (slot === NO_SESSION || sessions.isClosing(slot) || sessions.isLocal(slot)) return false;
    // It has left this server, if it was here.
    const client = clients.get(sessions.conn[slot]!);
    if (client !== undefined && client.session === slot) clients.close(client);
    sessions.owner[slot] = link;
    if (timeoutMs > 0) this.lifecycle.expiry.renegotiate(slot, timeoutMs, clock.nowMs);
    else sessions.touch(slot, clock.nowMs);
    return true;
  }
}
