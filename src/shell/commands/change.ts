/**
 * Commands that change one znode: Apache's `create`, `set`, `delete`, `setAcl`; and `sync`.
 */
import { readFile } from 'node:fs/promises';
import type { Acl, CreateMode } from '../../client/index.ts';
import { parseAcl } from '../command/acl-text.ts';
import type { Context } from '../command/context.ts';
import { parseData } from '../command/data-text.ts';
import { describeFailure, refusedError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import type { Flag, Positional } from '../command/shape.ts';
import type { CommandSpec } from '../command/spec.ts';
import { statJson, statText } from '../command/stat-text.ts';
import { InFlight } from '../tree/in-flight.ts';
import { walkTree } from '../tree/walk.ts';

const PATH: Positional = { name: 'path', kind: 'path' };
const STAT: Flag = { name: 's', help: 'print the Stat too' };
const VERSION: Flag = { name: 'v', value: 'version', kind: 'integer', help: 'only if it has this version' };
const DATA_FLAGS: readonly Flag[] = [
  { name: 'b', help: 'data is base64' },
  { name: 'x', help: 'data is hex' },
  { name: 'file', value: 'file', kind: 'file', help: 'data is what the file holds' },
];
/** Five bytes of a session id hold it. */
const TTL_MS_MAX = 2 ** 40 - 1;

export const changeCommands: readonly CommandSpec[] = [
  {
    name: 'create',
    group: 'Change',
    help: 'Create a znode',
    positionals: [
      PATH,
      { name: 'data', kind: 'text', optional: true },
      { name: 'acl', kind: 'text', optional: true },
    ],
    flags: [
      { name: 's', help: 'sequential: the server puts a number behind the name' },
      { name: 'e', help: 'ephemeral: goes with this session' },
      { name: 'c', help: 'container: goes some time after its last child' },
      { name: 't', value: 'ttl', kind: 'integer', help: 'goes after so many ms without change or child' },
      { name: 'p', help: 'missing parents too' },
      ...DATA_FLAGS,
    ],
    run: create,
  },
  {
    name: 'set',
    group: 'Change',
    help: 'Replace the data of a znode',
    positionals: [PATH, { name: 'data', kind: 'text', optional: true }],
    flags: [STAT, VERSION, ...DATA_FLAGS],
    run: set,
  },
  {
    name: 'delete',
    group: 'Change',
    help: 'Delete a znode without children',
    positionals: [PATH],
    flags: [VERSION],
    oldLastWord: { flag: 'v', name: 'version', instead: 'delete [-v version] path' },
    run: remove,
  },
  {
    name: 'setAcl',
    group: 'Change',
    help: 'Say who may do what with a znode: scheme:id:perms,…',
    positionals: [PATH, { name: 'acl', kind: 'text' }],
    flags: [STAT, VERSION, { name: 'R', help: 'and with everything below' }],
    run: setAcl,
  },
  {
    name: 'sync',
    group: 'Change',
    help: 'Wait until this server has seen what was committed',
    positionals: [PATH],
    flags: [],
    run: sync,
  },
];

async function create(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const mode = modeOf(invocation);
  const ttlMs = invocation.integer('t');
  const fromFile = invocation.has('file');
  const aclIndex = fromFile ? 1 : 2;
  if (fromFile && invocation.words.length > 2)
    throw invocation.fail('-file stands for the data: no data word');
  const aclWord = invocation.words[aclIndex];
  const acl: Acl[] | undefined = aclWord === undefined ? undefined : parseAcl(aclWord);
  const data = await dataOf(invocation);
  const { path } = await connection.zk.create(invocation.word(0), data, {
    mode,
    signal,
    ...(ttlMs === null ? {} : { ttlMs }),
    ...(acl === undefined ? {} : { acl }),
    ...(invocation.has('p') ? { parents: 'persistent' as const } : {}),
  });
  await out.result({ path, created: true }, `Created ${path}`);
}

function modeOf(invocation: Invocation): CreateMode {
  const isEphemeral = invocation.has('e');
  const isSequential = invocation.has('s');
  const ttlMs = invocation.integer('t');
  if (invocation.has('c') && (isEphemeral || isSequential))
    throw invocation.fail('-c cannot be combined with -s or -e: a container is neither');
  if (ttlMs !== null) {
    if (isEphemeral || invocation.has('c')) throw invocation.fail('-t cannot be combined with -e or -c');
    if (ttlMs <= 0 || ttlMs > TTL_MS_MAX) throw invocation.fail(`-t is 1 to ${TTL_MS_MAX} ms, not ${ttlMs}`);
  }
  if (invocation.has('c')) return 'container';
  if (isEphemeral) return isSequential ? 'ephemeralSequential' : 'ephemeral';
  return isSequential ? 'persistentSequential' : 'persistent';
}

/** null when there is none. */
async function dataOf(invocation: Invocation): Promise<Uint8Array | null> {
  const file = invocation.text('file');
  if (file !== null) return readFile(file);
  const word = invocation.words[1];
  if (word === undefined) return null;
  return parseData(word, invocation.has('b') ? 'base64' : invocation.has('x') ? 'hex' : 'utf8');
}

async function set(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const path = invocation.word(0);
  const hasWord = invocation.words.length > 1;
  if (hasWord === invocation.has('file'))
    throw invocation.fail(hasWord ? '-file stands for the data: no data word' : 'data or -file is missing');
  const data = await dataOf(invocation);
  const stat = await connection.zk.setData(path, data, { signal, ...versionOf(invocation) });
  await out.result({ path, stat: statJson(stat) }, invocation.has('s') ? statText(stat) : '');
}

async function remove(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const path = invocation.word(0);
  await connection.zk.delete(path, { signal, ...versionOf(invocation) });
  await out.result({ path, deleted: true }, '');
}

async function setAcl(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const { zk } = connection;
  const path = invocation.word(0);
  const acl = parseAcl(invocation.word(1));
  if (!invocation.has('R')) {
    const stat = await zk.setAcl(path, acl, { signal, ...versionOf(invocation) });
    await out.result({ path, stat: statJson(stat) }, invocation.has('s') ? statText(stat) : '');
    return;
  }
  if (invocation.has('s')) throw invocation.fail('-R goes without -s');
  let failures = 0;
  let count = 0;
  const flight = new InFlight();
  for await (const visit of walkTree(zk, path, { signal })) {
    if (visit.error !== null) throw visit.error;
    await flight.start(() =>
      zk.setAcl(visit.path, acl, { signal, ...versionOf(invocation) }).then(
        () => void count++,
        async (error: unknown) => {
          const facts = describeFailure(error);
          if (facts === null || signal.aborted) throw error;
          failures++;
          await out.note(facts.message);
        },
      ),
    );
  }
  await flight.settled();
  await out.result({ path, changed: count, failed: failures }, '');
  if (failures > 0) throw refusedError(`the ACL of ${failures} znodes was not changed, of ${count} it was`);
}

async function sync(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const path = invocation.word(0);
  await connection.zk.sync(path, { signal });
  await out.result({ path, synced: true }, 'Sync is OK');
}

function versionOf(invocation: Invocation): { readonly version?: number } {
  const version = invocation.integer('v');
  return version === null ? {} : { version };
}
