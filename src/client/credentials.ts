/**
 * What a client proves on each of its connections: a list that only grows, sent again behind every handshake. Replies to
 * `auth` may overtake others, so they are matched among themselves, in order. A machine.
 */
import { ErrorCode } from '../wire/error-codes.ts';
import { OpCode, SpecialXid } from '../wire/opcodes.ts';
import type { Call, FailureReason } from './call.ts';
import type { RequestPipeline } from './request-pipeline.ts';

export interface Credential {
  readonly scheme: string;
  readonly auth: Uint8Array;
}

interface Entry {
  readonly credential: Credential;
  /** Told of the first answer; null once told. */
  call: Call | null;
}

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

export class CredentialList {
  private readonly entries: Entry[] = [];
  private readonly pipeline: RequestPipeline;
  /** Sent on this connection and not answered, in order. */
  private readonly pending: Entry[] = [];

  constructor(initial: readonly Credential[], pipeline: RequestPipeline) {
    this.pipeline = pipeline;
    for (const credential of initial) this.entries.push({ credential, call: null });
  }

  add(credential: Credential, call: Call, sendNow: boolean): void {
    const entry: Entry = { credential, call };
    this.entries.push(entry);
    if (sendNow) this.send(entry);
  }

  /** On a new connection. */
  sendAll(): void {
    for (const entry of this.entries) this.send(entry);
  }

  /** False: the server refuses one of them, and with it the connection. */
  onReply(err: number): boolean {
    const entry = this.pending.shift();
    const call = entry?.call ?? null;
    if (entry !== undefined) entry.call = null;
    if (err === ErrorCode.ok) call?.onReply(NO_BYTES, NO_VIEW, 0, 0, 0);
    else call?.onRefused(err, 0);
    return err === ErrorCode.ok;
  }

  /** They are sent again on the next connection; who waits for an answer goes on waiting. */
  onBroken(): void {
    this.pending.length = 0;
  }

  onOver(reason: FailureReason): void {
    this.pending.length = 0;
    for (const entry of this.entries) {
      const { call } = entry;
      entry.call = null;
      call?.onFailed('unknown', reason);
    }
  }

  private send(entry: Entry): void {
    const { scheme, auth } = entry.credential;
    if (entry.call !== null) entry.call.state = 'sent';
    this.pipeline.sendSpecial(SpecialXid.auth, { op: OpCode.auth, scheme, auth });
    this.pending.push(entry);
  }
}
