/**
 * Sessions of a replay. Each recorded session has one, whatever its id: a recorded connection that resumed a session
 * resumes the corresponding one, with the id, the password and the last zxid that the target gave.
 */
import { PASSWORD_BYTES } from '../../src/wire/connect.ts';

/** About 100 MB; beyond it the oldest are forgotten, and resuming one gives a fresh session. */
const SESSIONS_MAX = 500_000;

/** Of the connection that has a session now. */
export interface SessionOwner {
  /** True when all that was recorded so far has been done; otherwise `callback` comes once it has. */
  whenIdle(callback: () => void): boolean;
}

export class ReplaySession {
  /** 0 while the target has not given one. */
  id = 0n;
  password: Uint8Array = new Uint8Array(PASSWORD_BYTES);
  /** The newest zxid that the session has seen from the target. */
  lastZxid = 0;
  owner: SessionOwner | null = null;

  /** The target has forgotten it: the next handshake asks for a new one. */
  forget(): void {
    this.id = 0n;
    this.password = new Uint8Array(PASSWORD_BYTES);
  }
}

export class SessionBook {
  /** By the recorded id. */
  private readonly sessions = new Map<bigint, ReplaySession>();

  find(recordedId: bigint): ReplaySession | undefined {
    return this.sessions.get(recordedId);
  }

  enter(recordedId: bigint, session: ReplaySession): void {
    this.sessions.set(recordedId, session);
    if (this.sessions.size > SESSIONS_MAX) this.sessions.delete(this.sessions.keys().next().value!);
  }
}
