/**
 * `restore`: a dump back into a tree. The file is read as a whole before anything is written, and every znode that is there
 * already is a reason to refuse, unless the user said that it is to be overwritten. Nothing is ever deleted.
 */
import { type CreateMode, parentOf, type Zk } from '../../client/index.ts';
import type { Context } from '../command/context.ts';
import { describeFailure, refusedError, ShellError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import type { CommandSpec } from '../command/spec.ts';
import { znodes } from '../tree/count.ts';
import { readDump } from '../tree/dump-file.ts';
import { InFlight } from '../tree/in-flight.ts';
import { absoluteFrom, type Znode } from '../tree/znodes.ts';

/** Paths named when it is refused. */
const NAMED_MAX = 5;

export const restoreCommand: CommandSpec = {
  name: 'restore',
  group: 'Trees',
  help: 'Create what a dump holds below a path; ephemerals are left out',
  positionals: [
    { name: 'file', kind: 'file' },
    { name: 'path', kind: 'path' },
  ],
  flags: [
    { name: 'dry-run', alias: 'n', help: 'only say what would be done' },
    { name: 'overwrite', help: 'znodes that are there get data and ACL of the dump' },
    { name: 'p', help: 'missing parents of the path too' },
    { name: 'no-acl', help: 'everybody may do everything' },
    { name: 'no-ttl', help: 'those with a TTL become persistent' },
    {
      name: 'ephemerals',
      value: 'how',
      values: ['skip', 'persistent'],
      help: 'skip (the default) or persistent',
    },
  ],
  run: restore,
};

type Action = 'create' | 'overwrite' | 'skip';

interface Plan {
  readonly zk: Zk;
  readonly root: string;
  readonly signal: AbortSignal;
  readonly overwrites: boolean;
  readonly keepsEphemerals: boolean;
  readonly withAcl: boolean;
  readonly withTtl: boolean;
  /** Nothing is there: nobody needs to be asked. */
  readonly isEmpty: boolean;
}

async function restore(invocation: Invocation, context: Context): Promise<void> {
  const { connection, out, signal } = context;
  const { zk } = connection;
  const file = invocation.word(0);
  const root = invocation.word(1);
  const plan: Plan = {
    zk,
    root,
    signal,
    overwrites: invocation.has('overwrite'),
    keepsEphemerals: invocation.text('ephemerals')?.toLowerCase() === 'persistent',
    withAcl: !invocation.has('no-acl'),
    withTtl: !invocation.has('no-ttl'),
    isEmpty: (await zk.exists(root, { signal })) === null,
  };
  await checkParent(plan, invocation.has('p'));
  const isDryRun = invocation.has('dry-run');
  await review(plan, file, isDryRun, context);
  if (isDryRun) return;
  if (invocation.has('p')) await zk.ensurePath(parentOf(root), 'persistent', { signal });
  const counts = await write(plan, file, context);
  const { create, overwrite, skip } = counts;
  const parts = [`${znodes(create)} created`];
  if (overwrite > 0) parts.push(`${overwrite} overwritten`);
  if (skip > 0) parts.push(`${skip} left out`);
  await out.result(
    { file, path: root, created: create, overwritten: overwrite, skipped: skip },
    parts.join(', '),
  );
}

async function checkParent({ zk, root, signal, isEmpty }: Plan, makes: boolean): Promise<void> {
  const parent = parentOf(root);
  if (!isEmpty || makes || (await zk.exists(parent, { signal })) !== null) return;
  throw refusedError(`Node does not exist: ${parent} (-p creates it)`);
}

/** What is to become of one znode, if it is there. */
function actionFor(plan: Plan, znode: Znode, isThere: boolean): Action {
  if (znode.kind === 'ephemeral' && !plan.keepsEphemerals) return 'skip';
  if (!isThere) return 'create';
  // The root of the tree is always there, and may stay as it is.
  return !plan.overwrites && absoluteFrom(plan.root, znode.path) === '/' ? 'skip' : 'overwrite';
}

/** Reads the whole file, and looks what is there. @throws ShellError when something would be overwritten unasked. */
async function review(plan: Plan, file: string, isDryRun: boolean, { out }: Context): Promise<void> {
  const { zk, root, signal, isEmpty } = plan;
  const flight = new InFlight();
  const conflicts: string[] = [];
  const counts: Record<Action, number> = { create: 0, overwrite: 0, skip: 0 };
  for await (const znode of readDump(file)) {
    const path = absoluteFrom(root, znode.path);
    await flight.start(async () => {
      const isThere = !isEmpty && (await zk.exists(path, { signal })) !== null;
      const action = actionFor(plan, znode, isThere);
      if (action === 'overwrite' && !plan.overwrites && conflicts.length <= NAMED_MAX) conflicts.push(path);
      counts[action]++;
      if (isDryRun) await out.result({ action, path, kind: znode.kind }, lineOf(action, path, znode));
    });
  }
  await flight.settled();
  if (isDryRun) {
    const { create, overwrite, skip } = counts;
    await out.line(
      `would create ${create}, overwrite ${overwrite}, leave out ${skip} znodes; nothing was changed`,
    );
  }
  if (conflicts.length === 0) return;
  const named = conflicts.slice(0, NAMED_MAX).join(', ') + (counts.overwrite > NAMED_MAX ? ', …' : '');
  throw refusedError(
    `restore: ${znodes(counts.overwrite)} of ${file} exist already (${named}); --overwrite replaces their data and ACL`,
  );
}

function lineOf(action: Action, path: string, { kind, data }: Znode): string {
  const what = kind === 'persistent' ? '' : ` ${kind}`;
  return `${action.padEnd(9)} ${path} (${data?.length ?? 0} bytes${what})`;
}

/** Parents stand before children in the file, and requests of one session keep their order. */
async function write(plan: Plan, file: string, { out }: Context): Promise<Record<Action, number>> {
  const flight = new InFlight();
  const counts: Record<Action, number> = { create: 0, overwrite: 0, skip: 0 };
  try {
    for await (const znode of readDump(file)) {
      await flight.start(async () => {
        counts[await writeOne(plan, znode)]++;
      }, znode.data?.length ?? 0);
    }
    await flight.settled();
    return counts;
  } catch (error) {
    const done = counts.create + counts.overwrite;
    if (done > 0)
      await out.note(`restore: ${znodes(done)} were written before it failed; --overwrite goes on`);
    throw explained(error);
  }
}

async function writeOne(plan: Plan, znode: Znode): Promise<Action> {
  const { zk, root, signal } = plan;
  const path = absoluteFrom(root, znode.path);
  if (actionFor(plan, znode, path === '/') === 'skip') return 'skip';
  const acl = plan.withAcl ? aclOf(znode) : undefined;
  if (path !== '/') {
    try {
      await zk.create(path, znode.data, {
        signal,
        ...(acl === undefined ? {} : { acl }),
        ...modeOf(plan, znode),
      });
      return 'create';
    } catch (error) {
      if (!plan.overwrites || describeFailure(error)?.code !== 'NODEEXISTS') throw error;
    }
  }
  await zk.setData(path, znode.data, { signal });
  if (acl !== undefined) await zk.setAcl(path, acl, { signal });
  return 'overwrite';
}

function modeOf(plan: Plan, { kind, ttlMs }: Znode): { readonly mode: CreateMode; readonly ttlMs?: number } {
  if (kind === 'container') return { mode: 'container' };
  if (ttlMs === null || !plan.withTtl) return { mode: 'persistent' };
  return { mode: 'persistent', ttlMs };
}

/** undefined: everybody may do everything to what is created, and what is there keeps its own. */
function aclOf({ acl }: Znode) {
  return acl?.map(({ perms, scheme, id }) => ({ perms, scheme: scheme ?? '', id: id ?? '' }));
}

/** What a user can do about it. */
function explained(error: unknown): unknown {
  const facts = describeFailure(error);
  if (facts?.code === 'UNIMPLEMENTED')
    return new ShellError(
      `${facts.message}; does this server know TTLs? --no-ttl does without`,
      facts.status,
    );
  if (facts?.code === 'NOAUTH')
    return new ShellError(
      `${facts.message} (addauth proves who you are; --no-acl leaves ACLs out)`,
      facts.status,
    );
  return error;
}
