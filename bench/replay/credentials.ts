/**
 * Keeps secrets out of recordings. Blanked are the credential of every auth request, SASL tokens, and the password of
 * a session. The password alone would not do: servers derive it from the session's id by a rule that is public, so
 * ids become aliases, the same for the same session of a recording and of no use elsewhere. With `keep` all of it
 * stays as it was. ACLs stay in any case: they hold digests of passwords, and a replay without them is another load.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { AuthRequest } from '../../src/wire/requests.ts';
import { opOf, RECORD_AT, xidOf } from './request-facts.ts';

/** In a ConnectRequest frame: `i32 length | i32 version | i64 zxid | i32 timeout | i64 session | password ...` */
const SESSION_AT = 20;
const PASSWORD_AT = 28;
const ALIAS_KEY_BYTES = 32;

const authRequest = new AuthRequest();

export class CredentialGuard {
  private readonly keep: boolean;
  private readonly aliasKey = randomBytes(ALIAS_KEY_BYTES);

  constructor(keep: boolean) {
    this.keep = keep;
  }

  /** What a recording may hold of a session's id; 0, no session, stays 0. */
  sessionAlias(sessionId: bigint): bigint {
    if (this.keep || sessionId === 0n) return sessionId;
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(sessionId);
    return createHmac('sha256', this.aliasKey).update(bytes).digest().readBigInt64BE(0);
  }

  /** `frame` holds a whole ConnectRequest, its length included. */
  connectRequest(frame: Uint8Array): Uint8Array {
    if (this.keep) return frame;
    const copy = Buffer.from(frame);
    copy.writeBigInt64BE(this.sessionAlias(copy.readBigInt64BE(SESSION_AT)), SESSION_AT);
    copy.fill(0, PASSWORD_AT + 4);
    // The byte behind the password says whether a read-only server will do: no secret, and part of the load.
    const passwordEnd = PASSWORD_AT + 4 + Math.max(0, copy.readInt32BE(PASSWORD_AT));
    if (passwordEnd < frame.length) copy[passwordEnd] = frame[passwordEnd]!;
    return copy;
  }

  /** The same frame, or what may be recorded of it. Not even the length of a credential is. */
  request(frame: Uint8Array): Uint8Array {
    const op = opOf(frame);
    if (this.keep || (op !== OpCode.auth && op !== OpCode.sasl)) return frame;
    const writer = new JuteWriter();
    const start = writer.beginBuffer();
    writer.writeInt(xidOf(frame));
    writer.writeInt(op);
    if (op === OpCode.auth) {
      writer.writeInt(0);
      writer.writeString(schemeOf(frame));
    }
    writer.writeBuffer(null);
    writer.endBuffer(start);
    return writer.toBytes();
  }
}

/** Requests that only make sense with the secret they carry. */
export function carriesCredential(op: number): boolean {
  return op === OpCode.auth || op === OpCode.sasl;
}

function schemeOf(frame: Uint8Array): string | null {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (!authRequest.wrap(frame, view, RECORD_AT, frame.length) || authRequest.schemeLength < 0) return null;
  const start = authRequest.schemeStart;
  return Buffer.from(frame.subarray(start, start + authRequest.schemeLength)).toString('utf8');
}
