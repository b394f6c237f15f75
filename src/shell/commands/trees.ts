/**
 * Commands that look at a whole tree: `tree`, `du`, `find`, `grep`. Each prints as it goes, in bounded memory.
 */
import { nameOf, type Stat } from '../../client/index.ts';
import type { Context } from '../command/context.ts';
import { textOf } from '../command/data-text.ts';
import type { Invocation } from '../command/invocation.ts';
import type { Output } from '../command/output.ts';
import type { Flag, Positional } from '../command/shape.ts';
import type { CommandSpec } from '../command/spec.ts';
import { idText } from '../command/stat-text.ts';
import { znodes } from '../tree/count.ts';
import { globPattern } from '../tree/glob.ts';
import { type Visit, walkTree } from '../tree/walk.ts';
import { kindOf, SEEN_KINDS } from '../tree/znode-kind.ts';
import { absoluteFrom, readTree } from '../tree/znodes.ts';

const PATH: Positional = { name: 'path', kind: 'path', optional: true };
const DEPTH: Flag = { name: 'L', value: 'depth', kind: 'integer', help: 'no deeper than so many levels' };

export const treeCommands: readonly CommandSpec[] = [
  {
    name: 'tree',
    group: 'Trees',
    help: 'Draw a tree',
    positionals: [PATH],
    flags: [DEPTH, { name: 's', help: 'with the size of the data' }],
    run: tree,
  },
  {
    name: 'du',
    group: 'Trees',
    help: 'Count znodes and bytes of data, of a path and of each child',
    positionals: [PATH],
    flags: [{ ...DEPTH, help: 'of everything down to this level (1)' }],
    run: diskUsage,
  },
  {
    name: 'find',
    group: 'Trees',
    help: 'List the paths below a path that are as the flags say',
    positionals: [PATH],
    flags: [
      {
        name: 'name',
        value: 'glob',
        help: 'name like this; with a / in it, path like this (*, ?, [a-z], **)',
      },
      { name: 'kind', value: 'kind', values: SEEN_KINDS, help: SEEN_KINDS.join(' or ') },
      { name: 'owner', value: 'session', help: 'ephemeral, of this session (hex)' },
      { name: 'min', value: 'bytes', kind: 'integer', help: 'at least so much data' },
      { name: 'max', value: 'bytes', kind: 'integer', help: 'at most so much data' },
      { name: 'newer', value: 'seconds', kind: 'integer', help: 'changed within this time' },
      { name: 'older', value: 'seconds', kind: 'integer', help: 'not changed within this time' },
      { name: 'leaf', help: 'without children' },
      DEPTH,
    ],
    run: find,
  },
  {
    name: 'grep',
    group: 'Trees',
    help: 'Print the lines of data below a path that match a regular expression',
    positionals: [{ name: 'pattern', kind: 'text' }, PATH],
    flags: [
      { name: 'i', help: 'upper and lower case are the same' },
      { name: 'F', help: 'the pattern is plain text' },
      { name: 'l', help: 'only the paths' },
      DEPTH,
    ],
    run: grep,
  },
];

async function tree(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const root = invocation.wordOr(0, '/');
  const depthMax = depthOf(invocation);
  /** Of each level: whether more siblings follow. */
  const open: boolean[] = [];
  let count = 0;
  for await (const visit of walkTree(connection.zk, root, { signal, depthMax })) {
    const { path, depth, isLastSibling } = visit;
    count++;
    open.length = Math.max(0, depth - 1);
    const lead = open.map((more) => (more ? '│   ' : '    ')).join('');
    const branch = depth === 0 ? '' : isLastSibling ? '└── ' : '├── ';
    open.push(!isLastSibling);
    if (depth === 0) open.length = 0;
    const name = depth === 0 ? path : nameOf(path);
    await out.result(
      visitJson(visit),
      `${lead}${branch}${name}${marksOf(visit, invocation.has('s'), depth === depthMax, out)}`,
    );
  }
  await out.line(`\n${znodes(count)}`);
}

function visitJson({ path, depth, stat, childCount, error }: Visit) {
  const facts = stat === null ? {} : { kind: kindOf(stat), dataLength: stat.dataLength };
  return { path, depth, children: childCount, ...facts, ...(error === null ? {} : { error: error.code }) };
}

function marksOf({ stat, childCount, error }: Visit, withSize: boolean, isCut: boolean, out: Output): string {
  if (stat === null) return out.paint(` (${error?.code})`, 'red');
  const marks: string[] = [];
  if (kindOf(stat) === 'ephemeral') marks.push(`ephemeral ${idText(stat.ephemeralOwner)}`);
  if (withSize) marks.push(`${stat.dataLength} B`);
  if (isCut && childCount > 0) marks.push(`${znodes(childCount)} below`);
  return marks.length === 0 ? '' : out.paint(` (${marks.join(', ')})`, 'dim');
}

interface Sum {
  readonly path: string;
  count: number;
  bytes: number;
}

async function diskUsage(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const root = invocation.wordOr(0, '/');
  const shownDepth = invocation.integer('L') ?? 1;
  if (shownDepth < 0) throw invocation.fail('-L is 0 or more');
  /** The way down to the present znode. */
  const stack: Sum[] = [];
  const close = async (): Promise<void> => {
    const sum = stack.pop()!;
    const above = stack.at(-1);
    if (above !== undefined) {
      above.count += sum.count;
      above.bytes += sum.bytes;
    }
    const { path, count, bytes } = sum;
    const text = `${String(count).padStart(10)} ${String(bytes).padStart(14)} B  ${path}`;
    if (stack.length <= shownDepth) await out.result({ path, znodes: count, bytes }, text);
  };
  for await (const { path, depth, stat } of walkTree(connection.zk, root, { signal })) {
    while (stack.length > depth) await close();
    stack.push({ path, count: 1, bytes: stat?.dataLength ?? 0 });
  }
  while (stack.length > 0) await close();
}

async function find(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const root = invocation.wordOr(0, '/');
  const isWanted = testOf(invocation);
  for await (const visit of walkTree(connection.zk, root, { signal, depthMax: depthOf(invocation) })) {
    if (visit.error !== null) await out.note(visit.error.message);
    else if (isWanted(visit.path, visit.stat!)) await out.result(visitJson(visit), visit.path);
  }
}

/** All that the flags ask, as one question. */
function testOf(invocation: Invocation): (path: string, stat: Stat) => boolean {
  const tests: ((path: string, stat: Stat) => boolean)[] = [];
  const glob = invocation.text('name');
  if (glob !== null) {
    const pattern = globPattern(glob);
    tests.push((path) => pattern.test(glob.includes('/') ? path : nameOf(path)));
  }
  const kind = invocation.text('kind')?.toLowerCase();
  if (kind !== undefined) tests.push((_, stat) => kindOf(stat) === kind);
  const owner = invocation.text('owner');
  if (owner !== null) {
    if (!/^(?:0x)?[0-9a-f]{1,16}$/i.test(owner))
      throw invocation.fail(`-owner is a session id in hex, not "${owner}"`);
    const id = `0x${BigInt(`0x${owner.replace(/^0x/i, '')}`).toString(16)}`;
    tests.push((_, stat) => kindOf(stat) === 'ephemeral' && idText(stat.ephemeralOwner) === id);
  }
  const bound = (flag: string, test: (stat: Stat, value: number) => boolean): void => {
    const value = invocation.integer(flag);
    if (value !== null) tests.push((_, stat) => test(stat, value));
  };
  const nowMs = Date.now();
  bound('min', (stat, bytes) => stat.dataLength >= bytes);
  bound('max', (stat, bytes) => stat.dataLength <= bytes);
  bound('newer', (stat, seconds) => nowMs - stat.mtime <= seconds * 1000);
  bound('older', (stat, seconds) => nowMs - stat.mtime > seconds * 1000);
  if (invocation.has('leaf')) tests.push((_, stat) => stat.numChildren === 0);
  return (path, stat) => tests.every((test) => test(path, stat));
}

async function grep(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const root = invocation.wordOr(1, '/');
  const pattern = patternOf(invocation);
  const found = readTree(connection.zk, root, {
    signal,
    withAcl: false,
    depthMax: depthOf(invocation),
    needsData: (visit) => (visit.stat?.dataLength ?? 0) > 0,
    onUnreadable: (_, error) => out.note(error.message),
  });
  for await (const { path: below, data } of found) {
    if (data === null) continue;
    const path = absoluteFrom(root, below);
    const text = textOf(data);
    if (text === null || invocation.has('l')) {
      // Bytes are looked at as if each were a letter.
      if (!pattern.test(text ?? Buffer.from(data).toString('latin1'))) continue;
      const isBinary = text === null;
      await out.result(
        { path, binary: isBinary },
        isBinary && !invocation.has('l') ? `${path}: bytes match` : path,
      );
      continue;
    }
    for (const [index, line] of text.split('\n').entries()) {
      if (!pattern.test(line)) continue;
      const shown = line.replace(pattern, (match) => out.paint(match, 'red'));
      await out.result(
        { path, line: index + 1, text: line },
        `${out.paint(path, 'cyan')}:${printable(shown, out)}`,
      );
    }
  }
}

function patternOf(invocation: Invocation): RegExp {
  const text = invocation.word(0);
  const source = invocation.has('F') ? text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : text;
  try {
    return new RegExp(source, invocation.has('i') ? 'iu' : 'u');
  } catch (error) {
    throw invocation.fail((error as Error).message);
  }
}

/** What could drive a terminal is not shown; our own colours are. */
function printable(line: string, out: Output): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const control = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g;
  const clean = line.replace(control, '.');
  return out.colours ? clean : clean.replaceAll('\u001b', '.');
}

function depthOf(invocation: Invocation): number {
  const depth = invocation.integer('L') ?? Number.POSITIVE_INFINITY;
  if (depth < 0) throw invocation.fail('-L is 0 or more');
  return depth;
}
