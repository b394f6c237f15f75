/** Requests as the fault tests write them: short, with the values that they do not care about filled in. */
import assert from 'node:assert/strict';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { RawClient, Reply } from '../../support/raw-client.ts';
import {
  create as createBody,
  OPEN_ACL,
  pathAndBool,
  pathAndInt,
  path as pathBody,
  setData as setDataBody,
} from '../../support/request-bodies.ts';

export interface Request {
  readonly op: number;
  readonly body: Uint8Array;
}

export const PERSISTENT = 0;
export const EPHEMERAL = 1;
export const SEQUENTIAL = 2;

const NOTHING = new Uint8Array(0);
const RECURSIVE_WATCH = 1;

export function create(path: string, data: Uint8Array = NOTHING, flags = PERSISTENT): Request {
  return { op: OpCode.create, body: createBody({ path, data, acls: OPEN_ACL, flags }) };
}

export function setData(path: string, data: Uint8Array): Request {
  return { op: OpCode.setData, body: setDataBody(path, data, -1) };
}

export function remove(path: string): Request {
  return { op: OpCode.delete, body: pathAndInt(path, -1) };
}

export function check(path: string, version: number): Request {
  return { op: OpCode.check, body: pathAndInt(path, version) };
}

export function getData(path: string): Request {
  return { op: OpCode.getData, body: pathAndBool(path, false) };
}

export function exists(path: string): Request {
  return { op: OpCode.exists, body: pathAndBool(path, false) };
}

export function getChildren(path: string): Request {
  return { op: OpCode.getChildren, body: pathAndBool(path, false) };
}

export function getEphemerals(prefix: string): Request {
  return { op: OpCode.getEphemerals, body: pathBody(prefix) };
}

/** A watch on the node and everything below it that stays. */
export function watchBelow(path: string): Request {
  return { op: OpCode.addWatch, body: pathAndInt(path, RECURSIVE_WATCH) };
}

export const CLOSE: Request = { op: OpCode.closeSession, body: NOTHING };
export const PING: Request = { op: OpCode.ping, body: NOTHING };

/** Sends one and gives its successful reply. */
export async function ok(client: RawClient, { op, body }: Request): Promise<Reply> {
  const reply = await client.request(op, body);
  assert.equal(reply.err, 0, `opcode ${op}`);
  return reply;
}

/** Sends all at once, `window` of them in flight, and checks that each succeeds, in order. */
export async function okAll(client: RawClient, requests: Iterable<Request>, window = 500): Promise<void> {
  const inFlight: number[] = [];
  const take = async (): Promise<void> => {
    const { xid, err } = await client.reply();
    assert.deepEqual({ xid, err }, { xid: inFlight.shift(), err: 0 });
  };
  for (const { op, body } of requests) {
    inFlight.push(client.send(op, body));
    if (inFlight.length >= window) await take();
  }
  while (inFlight.length > 0) await take();
}

export async function childrenOf(client: RawClient, path: string): Promise<string[]> {
  const { body } = await ok(client, getChildren(path));
  return body.strings().map((name) => name!);
}
