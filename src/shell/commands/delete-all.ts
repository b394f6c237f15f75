/**
 * `deleteall`: says how much lies below, asks a person, and needs `-y` in a batch. Nothing is deleted before.
 */
import type { Context } from '../command/context.ts';
import { refusedError, type ShellError, usageError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import type { CommandSpec } from '../command/spec.ts';
import { countBelow, isServers, znodes } from '../tree/count.ts';
import { TreeDeletion } from '../tree/delete-tree.ts';

const BATCH_MAX = 10_000;
/** Apache's. */
const BATCH_DEFAULT = 1_000;

export const deleteAllCommand: CommandSpec = {
  name: 'deleteall',
  aliases: ['rmr'],
  group: 'Change',
  help: 'Delete a znode and everything below it; says how much, and asks',
  positionals: [{ name: 'path', kind: 'path' }],
  flags: [
    { name: 'b', value: 'batch', kind: 'integer', help: 'so many deletes in one transaction (1,000)' },
    { name: 'y', alias: 'yes', help: 'do not ask' },
  ],
  run: deleteAll,
};

async function deleteAll(invocation: Invocation, context: Context): Promise<void> {
  const { connection, out, signal } = context;
  const { zk } = connection;
  const path = invocation.word(0);
  const batch = invocation.integer('b') ?? BATCH_DEFAULT;
  if (batch < 1 || batch > BATCH_MAX) throw invocation.fail(`-b is 1 to ${BATCH_MAX}, not ${batch}`);
  if (isServers(zk, path)) throw usageError(`deleteall: ${path} belongs to the server`);
  const below = await countBelow(zk, path, signal);
  if (below > 0) await agree(invocation, context, path, below);
  const deletion = new TreeDeletion(zk, { signal, batch });
  try {
    await deletion.run(path);
  } catch (error) {
    if (deletion.deleted > 0)
      await out.note(`deleteall: ${znodes(deletion.deleted)} were deleted before it failed`);
    throw error;
  }
  await out.result({ path, deleted: deletion.deleted }, '');
}

/** @throws ShellError without consent. */
async function agree(invocation: Invocation, context: Context, path: string, below: number): Promise<void> {
  const { out, yes, ask } = context;
  const what =
    path === '/' ? `${znodes(below)}, everything there is` : `${path} and ${znodes(below)} below it`;
  if (yes || invocation.has('y')) {
    if (!out.json) await out.note(`deleteall: ${what}`);
    return;
  }
  // The whole tree is too much for a single letter.
  const wanted = path === '/' ? '/' : 'y';
  const answer = ask(`This deletes ${what}. ${path === '/' ? 'Type / to go on: ' : 'Go on? (y/N) '}`);
  if (answer === null) throw usageError(`deleteall: this would delete ${what}; -y says that it is meant`);
  const given = (await answer).trim().toLowerCase();
  if (given !== wanted && !(wanted === 'y' && given === 'yes')) throw declined();
}

function declined(): ShellError {
  return refusedError('nothing was deleted');
}
