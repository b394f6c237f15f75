/**
 * The session handshake: the first frame in each direction, without the headers of later frames. The flyweight
 * and the offset writer serve the server; the values serve clients and tools. Pure, any thread.
 *
 *     ConnectRequest:   i32 protocolVersion | i64 lastZxidSeen | i32 timeOut | i64 sessionId | buffer passwd
 *                       | bool readOnly (absent from clients up to 3.3)             44 or 45 bytes
 *     ConnectResponse:  i32 protocolVersion (0) | i32 timeOut | i64 sessionId | buffer passwd (16 bytes)
 *                       | bool readOnly (only if the request carried it)            36 or 37 bytes
 *
 * A response with timeOut <= 0 says that the session has expired. The password has 16 bytes even then: the C
 * client reads the response into a buffer of exactly that size.
 */
import { readInt64 } from '../base/int64.ts';
import type { Zxid } from '../base/zxid.ts';
import { copyBytes } from './copy-bytes.ts';
import { Flyweight } from './flyweight.ts';
import type { JuteReader } from './jute-reader.ts';
import { MALFORMED, skipBuffer } from './jute-skip.ts';
import type { JuteWriter } from './jute-writer.ts';

export const PASSWORD_BYTES = 16;

const PASSWORD_FIELD = 24;

export class ConnectRequestView extends Flyweight {
  protocolVersion = 0;
  timeoutMs = 0;
  sessionIdHigh = 0;
  sessionIdLow = 0;
  passwordStart = 0;
  passwordLength = 0;
  /** Whether the response must carry the byte. */
  hasReadOnly = false;
  readOnly = false;
  private start = 0;

  /** Exact up to 2^53; a larger one is ahead of every server and refused anyway. */
  get lastZxidSeen(): Zxid {
    return readInt64(this.view, this.start + 4);
  }

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    if (end - start < PASSWORD_FIELD) return false;
    const next = skipBuffer(view, start + PASSWORD_FIELD, end);
    if (next === MALFORMED) return false;
    this.protocolVersion = view.getInt32(start);
    this.start = start;
    this.timeoutMs = view.getInt32(start + 12);
    this.sessionIdHigh = view.getInt32(start + 16);
    this.sessionIdLow = view.getInt32(start + 20);
    this.passwordStart = start + PASSWORD_FIELD + 4;
    this.passwordLength = view.getInt32(start + PASSWORD_FIELD);
    this.hasReadOnly = next < end;
    this.readOnly = this.hasReadOnly && view.getUint8(next) !== 0;
    this.recordEnd = this.hasReadOnly ? next + 1 : next;
    return true;
  }
}

/** Frame bytes (length prefix included) of a response with the readOnly byte. */
export const CONNECT_RESPONSE_FRAME_BYTES_MAX = 41;

/**
 * Writes the whole frame, length prefix included, and returns the offset behind it. `password` holds its 16
 * bytes at `passwordStart`. `readOnly` is written only if `hasReadOnly`.
 */
export function writeConnectResponse(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  timeoutMs: number,
  sessionIdHigh: number,
  sessionIdLow: number,
  password: Uint8Array,
  passwordStart: number,
  hasReadOnly: boolean,
  readOnly: boolean,
): number {
  view.setInt32(offset, hasReadOnly ? 37 : 36);
  view.setInt32(offset + 4, 0);
  view.setInt32(offset + 8, timeoutMs);
  view.setInt32(offset + 12, sessionIdHigh);
  view.setInt32(offset + 16, sessionIdLow);
  view.setInt32(offset + 20, PASSWORD_BYTES);
  copyBytes(password, passwordStart, PASSWORD_BYTES, bytes, offset + 24);
  if (!hasReadOnly) return offset + 40;
  bytes[offset + 40] = readOnly ? 1 : 0;
  return offset + 41;
}

const NO_PASSWORD = new Uint8Array(PASSWORD_BYTES);

/** The refusal of a session: timeout 0, session id 0, 16 zero bytes. Close the connection behind it. */
export function writeSessionRefusal(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  hasReadOnly: boolean,
): number {
  return writeConnectResponse(bytes, view, offset, 0, 0, 0, NO_PASSWORD, 0, hasReadOnly, false);
}

export interface ConnectRequest {
  readonly protocolVersion: number;
  readonly lastZxidSeen: Zxid;
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Uint8Array | null;
  /** null: the field is absent. */
  readonly readOnly: boolean | null;
}

export interface ConnectResponse {
  readonly protocolVersion: number;
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Uint8Array;
  /** null: the field is absent. */
  readonly readOnly: boolean | null;
}

export function writeConnectRequest(writer: JuteWriter, request: ConnectRequest): void {
  writer.writeInt(request.protocolVersion);
  writer.writeLong(request.lastZxidSeen);
  writer.writeInt(request.timeoutMs);
  writer.writeBigLong(request.sessionId);
  writer.writeBuffer(request.password);
  if (request.readOnly !== null) writer.writeBool(request.readOnly);
}

export function readConnectRequest(reader: JuteReader): ConnectRequest {
  return {
    protocolVersion: reader.readInt(),
    lastZxidSeen: reader.readLong(),
    timeoutMs: reader.readInt(),
    sessionId: reader.readBigLong(),
    password: reader.readBuffer(),
    readOnly: reader.remaining > 0 ? reader.readBool() : null,
  };
}

export function readConnectResponse(reader: JuteReader): ConnectResponse {
  const protocolVersion = reader.readInt();
  const timeoutMs = reader.readInt();
  const sessionId = reader.readBigLong();
  const password = reader.readBuffer();
  if (password?.length !== PASSWORD_BYTES) reader.fail('a session password of 16 bytes');
  return {
    protocolVersion,
    timeoutMs,
    sessionId,
    password,
    readOnly: reader.remaining > 0 ? reader.readBool() : null,
  };
}
