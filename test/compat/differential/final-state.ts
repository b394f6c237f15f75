/**
 * What a server holds at the end of a run, for comparison as a whole: every znode with data, ACL and Stat as a super
 * user sees it, and the four-letter words that show sessions, ephemerals and watches.
 */
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { RawClient } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import type { TestServer } from '../../support/server.ts';
import type { Normaliser } from './normaliser.ts';
import type { Request } from './step.ts';

export type FinalState = Readonly<Record<string, unknown>>;

/** Credential of the super user in every differential run. */
export const SUPER = { credential: 'super:test', digest: 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=' } as const;

export async function readTree(server: TestServer, normaliser: Normaliser): Promise<FinalState> {
  const client = await RawClient.open(server.port);
  const tree: Record<string, unknown> = {};
  await client.request(OpCode.auth, bodies.auth('digest', new TextEncoder().encode(SUPER.credential)));
  const pending = ['/'];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const children = await read(client, normaliser, OpCode.getChildren2, path);
    const data = await read(client, normaliser, OpCode.getData, path);
    const acl = await read(client, normaliser, OpCode.getAcl, path);
    tree[path] = { children, data, acl };
    const { names } = children as { names: readonly string[] };
    for (const name of names) pending.push(path === '/' ? `/${name}` : `${path}/${name}`);
  }
  await client.request(OpCode.closeSession);
  client.destroy();
  return tree;
}

async function read(client: RawClient, normaliser: Normaliser, op: number, path: string): Promise<unknown> {
  const withWatch = op !== OpCode.getAcl;
  const xid = client.send(op, withWatch ? bodies.pathAndBool(path, false) : bodies.path(path));
  const payload = await client.connection.nextFrame();
  if (payload === undefined) throw new Error(`closed while reading ${path}`);
  const request: Request = { xid, op, body: new Uint8Array(0), label: '' };
  const reply = normaliser.frame(payload, [request]);
  if (!('op' in reply) || reply.err !== ErrorCode.ok) throw new Error(`${path}: ${JSON.stringify(reply)}`);
  return reply.body;
}

/** Data watches and ephemerals by session, each as a sorted list of lines (`recursive-watch-table`: counts of both tables differ). */
export async function readWords(server: TestServer, normaliser: Normaliser): Promise<FinalState> {
  const wchp = normaliser.text(await fourLetterWord(server.port, 'wchp'));
  const wchs = await fourLetterWord(server.port, 'wchs');
  const dump = normaliser.text(await fourLetterWord(server.port, 'dump'));
  const srvr = await fourLetterWord(server.port, 'srvr');
  const mntr = await fourLetterWord(server.port, 'mntr');
  return {
    wchp: grouped(wchp),
    // Not the number of connections: the baseline goes on counting those whose watches have all fired.
    wchs: wchs.slice(wchs.indexOf('watching')),
    // The baseline goes on listing sessions whose ephemerals are all gone.
    ephemerals: grouped(
      dump.slice(dump.indexOf('ephemeral nodes dump'), dump.indexOf('Connections dump')),
    ).filter((group) => group.includes('\t')),
    srvr: srvr.split('\n').filter((line) => /^(Zxid|Mode|Node count|Connections):/.test(line)),
    // Not the count of watches: a recursive one is in two tables of the baseline (`recursive-watch-table`).
    mntr: mntr
      .split('\n')
      .filter((line) => /^zk_(znode|ephemerals)_count\t|^zk_global_sessions\t/.test(line))
      .sort(),
  };
}

/** A head line and its indented lines become one entry; entries and their lines go in no particular order. */
function grouped(text: string): string[] {
  const groups: string[][] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('\t') && groups.length > 0) groups.at(-1)!.push(line);
    else groups.push([line]);
  }
  return groups.map(([head, ...rest]) => [head, ...rest.sort()].join('\n')).sort();
}
