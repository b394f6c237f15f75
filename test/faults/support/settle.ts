/**
 * What a server shows of what writers have done, once nothing is under way any more: each model finds out how much of what was in
 * flight has happened, or says that nothing explains it. Asked of one server, behind everything its leader has decided.
 */
import assert from 'node:assert/strict';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { RawClient } from '../../support/raw-client.ts';
import { path as pathBody } from '../../support/request-bodies.ts';
import { childrenOf, create, getData, getEphemerals, ok } from './requests.ts';
import { SESSION_TIMEOUT_MS, type Session, type Writer } from './writer.ts';
import { EPHEMERALS, type Observed, SEQUENCES, sequenceNumber } from './writer-model.ts';

const NO_NODE = -101;

/** Returns how many operations in flight had happened. @throws Error when no number of them explains what is there */
export async function settleAll(
  port: number,
  writers: readonly Writer[],
  onSequence: (number: number) => void,
): Promise<number> {
  const reader = await RawClient.open(port, { timeoutMs: SESSION_TIMEOUT_MS });
  await ok(reader, { op: OpCode.sync, body: pathBody('/') });
  for (const path of [SEQUENCES, EPHEMERALS, ...writers.map(({ model }) => model.home)]) {
    const { op, body } = create(path);
    await reader.request(op, body);
  }
  const sequences = await childrenOf(reader, SEQUENCES);
  const ephemerals = await childrenOf(reader, EPHEMERALS);
  for (const name of sequences) onSequence(sequenceNumber(name));
  let happened = 0;
  for (const writer of writers) {
    happened += writer.model.settle(await observe(port, reader, writer, sequences, ephemerals));
    if (writer.model.isSessionClosed) writer.session = null;
  }
  reader.destroy();
  return happened;
}

async function observe(
  port: number,
  reader: RawClient,
  writer: Writer,
  sequences: readonly string[],
  ephemerals: readonly string[],
): Promise<Observed> {
  const { home, name } = writer.model;
  const keys = new Map<string, string>();
  for (const key of await childrenOf(reader, home)) {
    const { body } = await ok(reader, getData(`${home}/${key}`));
    keys.set(`${home}/${key}`, Buffer.from(body.buffer()!).toString());
  }
  const isOwn = (node: string): boolean => node.startsWith(`${name}-`);
  const own = ephemerals.filter(isOwn).map((node) => `${EPHEMERALS}/${node}`);
  const owned = await ownedBy(port, writer.session);
  if (owned !== null) assert.deepEqual(new Set(owned), new Set(own), `${name}: ephemerals of its session`);
  return {
    keys,
    ephemerals: new Set(own),
    sequences: new Set(sequences.filter(isOwn)),
    hasSession: owned !== null,
  };
}

/** The ephemerals of a session, or null when the server does not know it. */
export async function ownedBy(port: number, session: Session | null): Promise<string[] | null> {
  if (session === null) return null;
  const client = await RawClient.open(port, { timeoutMs: SESSION_TIMEOUT_MS, ...session });
  if (client.session.sessionId !== session.sessionId) return null;
  const { op, body } = getEphemerals('/');
  const reply = await client.request(op, body);
  assert.notEqual(reply.err, NO_NODE);
  client.destroy();
  return reply.body.strings().map((path) => path!);
}
