/**
 * Request frames of the load, encoded once before a phase. Only the generator, the probes and their tests call
 * this; nothing here runs while requests fly.
 *
 *     frame: i32 length | i32 xid | i32 op | record          connect: i32 length | ConnectRequest, no header
 */
import { OpCode } from '../../src/wire/opcodes.ts';

const PERMS_ALL = 31;
const ANY_VERSION = -1;

export function connectFrame(sessionTimeoutMs: number): Buffer {
  const frame = Buffer.alloc(4 + 45); // protocolVersion, lastZxidSeen and sessionId stay 0, readOnly false
  frame.writeInt32BE(45, 0);
  frame.writeInt32BE(sessionTimeoutMs, 4 + 12);
  frame.writeInt32BE(16, 4 + 24);
  return frame;
}

export function getDataFrame(xid: number, path: string): Buffer {
  return requestFrame(xid, OpCode.getData, [string(path), Buffer.of(0)]);
}

export function existsFrame(xid: number, path: string): Buffer {
  return requestFrame(xid, OpCode.exists, [string(path), Buffer.of(0)]);
}

export function setDataFrame(xid: number, path: string, value: Uint8Array): Buffer {
  return requestFrame(xid, OpCode.setData, [string(path), buffer(value), int(ANY_VERSION)]);
}

/** A persistent znode, open to everyone. */
export function createFrame(xid: number, path: string, value: Uint8Array): Buffer {
  const acl = [int(1), int(PERMS_ALL), string('world'), string('anyone')];
  return requestFrame(xid, OpCode.create, [string(path), buffer(value), ...acl, int(0)]);
}

export function deleteFrame(xid: number, path: string): Buffer {
  return requestFrame(xid, OpCode.delete, [string(path), int(ANY_VERSION)]);
}

export function pingFrame(xid: number): Buffer {
  return requestFrame(xid, OpCode.ping, []);
}

export function closeSessionFrame(xid: number): Buffer {
  return requestFrame(xid, OpCode.closeSession, []);
}

function requestFrame(xid: number, op: number, fields: readonly Uint8Array[]): Buffer {
  const length = fields.reduce((sum, field) => sum + field.length, 8);
  return Buffer.concat([int(length), int(xid), int(op), ...fields]);
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(text: string): Buffer {
  return buffer(Buffer.from(text));
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.concat([int(bytes.length), bytes]);
}
