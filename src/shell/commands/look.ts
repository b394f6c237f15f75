/**
 * Commands that read: Apache's `ls`, `get`, `stat`, `getAcl`, `getEphemerals`, `getAllChildrenNumber`.
 */
import { aclJson, aclText } from '../command/acl-text.ts';
import type { Context } from '../command/context.ts';
import { DATA_FORMATS, type DataFormat, dataJson, dataText } from '../command/data-text.ts';
import { refusedError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import type { Flag, Positional } from '../command/shape.ts';
import type { CommandSpec } from '../command/spec.ts';
import { statJson, statText } from '../command/stat-text.ts';
import { countBelow } from '../tree/count.ts';
import { walkTree } from '../tree/walk.ts';

const PATH: Positional = { name: 'path', kind: 'path' };
const STAT: Flag = { name: 's', help: 'print the Stat too' };
const WATCH: Flag = { name: 'w', help: 'print the next change' };

export const lookCommands: readonly CommandSpec[] = [
  {
    name: 'ls',
    group: 'Look',
    help: 'List children',
    positionals: [PATH],
    flags: [STAT, WATCH, { name: 'R', help: 'everything below, one path a line' }],
    oldLastWord: { flag: 'w', name: 'watch', instead: 'ls [-w] path' },
    run: list,
  },
  {
    name: 'get',
    group: 'Look',
    help: 'Print the data of a znode: text as text, other bytes as a hex dump',
    positionals: [PATH],
    flags: [
      STAT,
      WATCH,
      { name: 'b', help: 'as base64' },
      { name: 'x', help: 'as hex' },
      { name: 'as', value: 'format', values: DATA_FORMATS, help: `one of ${DATA_FORMATS.join(', ')}` },
      { name: 'raw', help: 'the bytes as they are, without a newline' },
    ],
    oldLastWord: { flag: 'w', name: 'watch', instead: 'get [-s] [-w] path' },
    run: get,
  },
  {
    name: 'stat',
    group: 'Look',
    help: 'Print the Stat of a znode',
    positionals: [PATH],
    flags: [WATCH],
    oldLastWord: { flag: 'w', name: 'watch', instead: 'stat [-w] path' },
    run: stat,
  },
  {
    name: 'getAcl',
    group: 'Look',
    help: 'Print who may do what with a znode',
    positionals: [PATH],
    flags: [STAT],
    run: getAcl,
  },
  {
    name: 'getEphemerals',
    group: 'Look',
    help: 'List the ephemeral znodes of this session',
    positionals: [{ ...PATH, optional: true }],
    flags: [],
    run: getEphemerals,
  },
  {
    name: 'getAllChildrenNumber',
    group: 'Look',
    help: 'Count everything below a znode',
    positionals: [PATH],
    flags: [],
    run: getAllChildrenNumber,
  },
];

async function list(invocation: Invocation, { connection, out, signal, watches }: Context): Promise<void> {
  const { zk } = connection;
  const path = invocation.word(0);
  if (invocation.has('R')) {
    if (invocation.has('s') || invocation.has('w')) throw invocation.fail('-R goes with no other flag');
    for await (const visit of walkTree(zk, path, { signal })) {
      if (visit.error !== null) throw visit.error;
      await out.result({ path: visit.path }, visit.path);
    }
    return;
  }
  const watched = invocation.has('w') ? await zk.children(path, { signal, watch: true }) : null;
  if (watched !== null) watches.addOneShot('child', path, watched);
  const found = watched ?? (await zk.children(path, { signal }));
  const names = found.names.toSorted();
  const withStat = invocation.has('s');
  await out.result(
    { path, children: names, stat: withStat ? statJson(found.stat) : undefined },
    `[${names.join(', ')}]${withStat ? `\n${statText(found.stat)}` : ''}`,
  );
}

async function get(invocation: Invocation, { connection, out, signal, watches }: Context): Promise<void> {
  const { zk } = connection;
  const path = invocation.word(0);
  const watched = invocation.has('w') ? await zk.getData(path, { signal, watch: true }) : null;
  if (watched !== null) watches.addOneShot('data', path, watched);
  const { data, stat } = watched ?? (await zk.getData(path, { signal }));
  if (invocation.has('raw')) {
    await out.bytes(data ?? new Uint8Array(0));
    return;
  }
  const withStat = invocation.has('s');
  if (out.json) {
    await out.result({ path, ...dataJson(data), stat: withStat ? statJson(stat) : undefined }, '');
    return;
  }
  // An empty line for no bytes, as Apache's shell does.
  await out.line(dataText(data, formatOf(invocation)));
  if (withStat) await out.line(statText(stat));
}

function formatOf(invocation: Invocation): DataFormat {
  if (invocation.has('x')) return 'hex';
  if (invocation.has('b')) return 'base64';
  return (invocation.text('as')?.toLowerCase() ?? 'auto') as DataFormat;
}

async function stat(invocation: Invocation, { connection, out, signal, watches }: Context): Promise<void> {
  const { zk } = connection;
  const path = invocation.word(0);
  const watched = invocation.has('w') ? await zk.exists(path, { signal, watch: true }) : null;
  if (watched !== null) watches.addOneShot('data', path, watched);
  const found = watched === null ? await zk.exists(path, { signal }) : watched.stat;
  if (found === null) throw refusedError(`Node does not exist: ${path}`);
  await out.result({ path, stat: statJson(found) }, statText(found));
}

async function getAcl(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const path = invocation.word(0);
  const { acl, stat } = await connection.zk.getAcl(path, { signal });
  const withStat = invocation.has('s');
  await out.result(
    { path, acl: aclJson(acl), stat: withStat ? statJson(stat) : undefined },
    `${aclText(acl)}${withStat ? `\n${statText(stat)}` : ''}`,
  );
}

async function getEphemerals(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const found = await connection.zk.ephemerals(invocation.wordOr(0, '/'), { signal });
  const paths = found.toSorted();
  await out.result({ ephemerals: paths }, `[${paths.join(', ')}]`);
}

async function getAllChildrenNumber(
  invocation: Invocation,
  { connection, out, signal }: Context,
): Promise<void> {
  const path = invocation.word(0);
  const count = await countBelow(connection.zk, path, signal, true);
  await out.result({ path, count }, String(count));
}
