/**
 * The requests that the engine sends, as values and as frames. Encoding happens before a phase and for the few
 * requests beside the load; nothing here runs while the load's requests fly.
 */

import { OPEN_ACL } from '../../src/wire/acl.ts';
import { PASSWORD_BYTES, writeConnectRequest } from '../../src/wire/connect.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { CreateFlags, OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import { type Request, writeRequestFrame } from '../../src/wire/request-values.ts';
import { ANY_VERSION } from '../../src/wire/requests.ts';
import type { Credential } from '../base/address.ts';

export function getRequest(path: string): Request {
  return { op: OpCode.getData, path, watch: false };
}

export function existsRequest(path: string): Request {
  return { op: OpCode.exists, path, watch: false };
}

export function setRequest(path: string, data: Uint8Array): Request {
  return { op: OpCode.setData, path, data, version: ANY_VERSION };
}

/** A persistent znode, open to everyone. */
export function createRequest(path: string, data: Uint8Array): Request {
  return { op: OpCode.create, path, data, acl: OPEN_ACL, flags: CreateFlags.persistent };
}

export function deleteRequest(path: string): Request {
  return { op: OpCode.delete, path, version: ANY_VERSION };
}

/** A new session, and its credentials: the server answers each of them under the xid of `auth`. */
export function openingFrames(sessionTimeoutMs: number, auth: readonly Credential[] = []): Uint8Array {
  const frames = auth.map((credential) =>
    requestFrame(SpecialXid.auth, {
      op: OpCode.auth,
      scheme: credential.scheme,
      auth: Buffer.from(credential.auth),
    }),
  );
  return Buffer.concat([connectFrame(sessionTimeoutMs), ...frames]);
}

/** A new session, as nobody. */
export function connectFrame(sessionTimeoutMs: number): Uint8Array {
  const writer = new JuteWriter();
  const frame = writer.beginBuffer();
  writeConnectRequest(writer, {
    protocolVersion: 0,
    lastZxidSeen: 0,
    timeoutMs: sessionTimeoutMs,
    sessionId: 0n,
    password: new Uint8Array(PASSWORD_BYTES),
    readOnly: false,
  });
  writer.endBuffer(frame);
  return writer.toBytes();
}

export function requestFrame(xid: number, request: Request): Uint8Array {
  const writer = new JuteWriter();
  writeRequestFrame(writer, xid, request);
  return writer.toBytes();
}
