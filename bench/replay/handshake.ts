/**
 * The handshake of a replayed connection: which session it asks for, and what it got. Ids, passwords and zxids of the
 * recording mean nothing to the target; its own take their places.
 */

import {
  type ConnectRequest,
  type ConnectResponse,
  readConnectRequest,
  readConnectResponse,
  writeConnectRequest,
} from '../../src/wire/connect.ts';
import { JuteReader, MalformedRecord } from '../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { FRAME_PREFIX_BYTES } from '../../src/wire/limits.ts';
import { ReplaySession, type SessionBook, type SessionOwner } from './replay-sessions.ts';

export class Handshake {
  readonly session: ReplaySession;
  /** The recording resumes a session that the replay does not have: it gets a new one. */
  readonly replacesSession: boolean;
  /** As the server granted it. */
  sessionTimeoutMs: number;
  private readonly recorded: ConnectRequest;

  private constructor(recorded: ConnectRequest, session: ReplaySession, replacesSession: boolean) {
    this.recorded = recorded;
    this.session = session;
    this.replacesSession = replacesSession;
    this.sessionTimeoutMs = recorded.timeoutMs;
  }

  /**
   * For a recorded ConnectRequest; null while the session's former connection still has something to do, which must
   * come first: `retry` is called when it is done.
   */
  static of(
    frame: Uint8Array,
    sessions: SessionBook,
    owner: SessionOwner,
    retry: () => void,
  ): Handshake | null {
    const recorded = readConnectRequest(new JuteReader(frame.subarray(FRAME_PREFIX_BYTES)));
    const known = recorded.sessionId === 0n ? undefined : sessions.find(recorded.sessionId);
    if (known?.owner != null && !known.owner.whenIdle(retry)) return null;
    const session = known ?? new ReplaySession();
    session.owner = owner;
    return new Handshake(recorded, session, known === undefined && recorded.sessionId !== 0n);
  }

  /** The frame to send. */
  frame(): Uint8Array {
    const { recorded, session } = this;
    const writer = new JuteWriter();
    const start = writer.beginBuffer();
    writeConnectRequest(writer, {
      protocolVersion: recorded.protocolVersion,
      lastZxidSeen: session.lastZxid,
      timeoutMs: recorded.timeoutMs,
      sessionId: session.id,
      password: session.password,
      readOnly: recorded.readOnly,
    });
    writer.endBuffer(start);
    return writer.toBytes();
  }

  /** Takes the target's answer. */
  onResponse(payload: Uint8Array): 'accepted' | 'refused' | 'malformed' {
    let response: ConnectResponse;
    try {
      response = readConnectResponse(new JuteReader(payload));
    } catch (error) {
      if (error instanceof MalformedRecord) return 'malformed';
      throw error;
    }
    if (response.timeoutMs <= 0) return 'refused';
    this.session.id = response.sessionId;
    this.session.password = response.password;
    this.sessionTimeoutMs = response.timeoutMs;
    return 'accepted';
  }
}
