/**
 * Everything a server holds that has to survive in its data directory, byte for byte as clients see it: data, Stat
 * (times included), ACL and children of every znode, and the ephemerals of every session. Read as a super user.
 */
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { RawClient, type Reply } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import { SUPER } from '../differential/final-state.ts';

export interface HeldState {
  /** By path; the bytes of the getData and getACL replies in hex. */
  readonly znodes: Readonly<Record<string, { readonly data: string; readonly acl: string }>>;
  /** Session id and its ephemerals, as lines of `dump`. */
  readonly ephemerals: readonly string[];
}

const COUNTED_ANEW = { data: 'counted anew', acl: '' };

export async function readHeldState(port: number): Promise<HeldState> {
  const client = await RawClient.open(port);
  await client.request(OpCode.auth, bodies.auth('digest', new TextEncoder().encode(SUPER.credential)));
  const znodes: Record<string, { data: string; acl: string }> = {};
  const pending = ['/'];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const children = await client.request(OpCode.getChildren, bodies.pathAndBool(path, false));
    const data = await client.request(OpCode.getData, bodies.pathAndBool(path, false));
    const acl = await client.request(OpCode.getAcl, bodies.path(path));
    // A server counts a quota's use anew when it opens a directory, and clients may have written what they like.
    const isCounted = path.startsWith('/zookeeper/quota/') && path.endsWith('/zookeeper_stats');
    znodes[path] = isCounted ? COUNTED_ANEW : { data: hex(path, data), acl: hex(path, acl) };
    for (const name of children.body.strings()) pending.push(path === '/' ? `/${name}` : `${path}/${name}`);
  }
  await client.request(OpCode.closeSession);
  client.destroy();
  return { znodes, ephemerals: await readEphemerals(port) };
}

async function readEphemerals(port: number): Promise<string[]> {
  const dump = await fourLetterWord(port, 'dump');
  const part = dump.slice(dump.indexOf('ephemeral nodes dump'), dump.indexOf('Connections dump'));
  const lines: string[] = [];
  let session = '';
  for (const line of part.split('\n')) {
    if (line.startsWith('\t')) lines.push(`${session} ${line.trim()}`);
    else session = line;
  }
  return lines.sort();
}

function hex(path: string, reply: Reply): string {
  if (reply.err !== ErrorCode.ok) throw new Error(`${path}: error ${reply.err}`);
  const { bytes, remaining } = reply.body;
  return Buffer.from(bytes.subarray(bytes.length - remaining)).toString('hex');
}
