/**
 * Commands about change: Apache's `addWatch`, `removewatches`, `printwatches`; `watch`, which prints events until it is
 * stopped; `tail`, which prints the values of a znode as they come.
 */
import { bytes, isZk, type WatchItem, type Zk } from '../../client/index.ts';
import type { Context } from '../command/context.ts';
import { dataExcerpt, dataJson, dataText } from '../command/data-text.ts';
import { refusedError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import type { Flag, Positional } from '../command/shape.ts';
import type { CommandSpec } from '../command/spec.ts';
import { hex } from '../command/stat-text.ts';
import type { WatchType } from '../command/watch-book.ts';

const PATH: Positional = { name: 'path', kind: 'path' };
const MODES = ['PERSISTENT', 'PERSISTENT_RECURSIVE'] as const;
const END_FLAGS: readonly Flag[] = [
  { name: 'n', value: 'count', kind: 'integer', help: 'stop after so many' },
  { name: 't', value: 'seconds', kind: 'integer', help: 'stop after this time' },
];
const EXCERPT_LENGTH = 80;

export const watchCommands: readonly CommandSpec[] = [
  {
    name: 'addWatch',
    group: 'Watch',
    help: 'Print changes of a znode, or of it and everything below, from now on',
    positionals: [PATH],
    flags: [{ name: 'm', value: 'mode', values: MODES, help: `${MODES.join(' or ')} (the default)` }],
    run: addWatch,
  },
  {
    name: 'removewatches',
    group: 'Watch',
    help: 'Give up what was watched by -w or addWatch',
    positionals: [PATH],
    flags: [
      { name: 'c', help: 'of children' },
      { name: 'd', help: 'of data' },
      { name: 'p', help: 'persistent' },
      { name: 'r', help: 'persistent recursive' },
      { name: 'a', help: 'any (the default)' },
      { name: 'l', help: 'accepted: without a connection they are given up here' },
    ],
    run: removeWatches,
  },
  {
    name: 'printwatches',
    group: 'Watch',
    help: 'Whether events are printed',
    positionals: [{ name: 'on|off', kind: 'text', optional: true, values: ['on', 'off'] }],
    flags: [],
    isLocal: true,
    run: printWatches,
  },
  {
    name: 'watch',
    group: 'Watch',
    help: 'Print one line per change until Ctrl-C',
    positionals: [PATH],
    flags: [
      { name: 'R', help: 'of everything below too' },
      { name: 'd', help: 'with the new data' },
      ...END_FLAGS,
    ],
    run: watch,
  },
  {
    name: 'tail',
    group: 'Watch',
    help: 'Print the data of a znode, and again whenever it is another, until Ctrl-C',
    positionals: [PATH],
    flags: END_FLAGS,
    run: tail,
  },
];

async function addWatch(invocation: Invocation, { connection, watches, signal }: Context): Promise<void> {
  const path = invocation.word(0);
  const isTree = (invocation.text('m') ?? 'PERSISTENT_RECURSIVE').toUpperCase() === 'PERSISTENT_RECURSIVE';
  const stream = await connection.zk.watch(path, {
    mode: isTree ? 'tree' : 'node',
    onEvent: (item) => watches.tell(item),
    signal,
  });
  watches.addStream(isTree ? 'recursive' : 'persistent', path, stream);
}

async function removeWatches(invocation: Invocation, { out, watches }: Context): Promise<void> {
  const path = invocation.word(0);
  const types: Readonly<Record<string, WatchType>> = {
    c: 'child',
    d: 'data',
    p: 'persistent',
    r: 'recursive',
  };
  const flag = Object.keys(types).find((one) => invocation.has(one));
  const removed = await watches.remove(path, flag === undefined ? 'any' : types[flag]!);
  if (removed === 0) throw refusedError(`No such watcher for ${path}`);
  await out.result({ path, removed }, '');
}

async function printWatches(invocation: Invocation, { out, watches }: Context): Promise<void> {
  const [word] = invocation.words;
  if (word !== undefined) {
    watches.isPrinting = word.toLowerCase() === 'on';
    return;
  }
  await out.result(
    { printwatches: watches.isPrinting },
    `printwatches is ${watches.isPrinting ? 'on' : 'off'}`,
  );
}

async function watch(invocation: Invocation, context: Context): Promise<void> {
  const { connection, out } = context;
  const path = invocation.word(0);
  const end = endOf(invocation, context.signal);
  const stream = await connection.zk.watch(path, {
    mode: invocation.has('R') ? 'tree' : 'node',
    signal: context.signal,
  });
  const stop = (): void => void stream.return();
  end.signal.addEventListener('abort', stop, { once: true });
  if (end.signal.aborted) stop();
  let count = 0;
  for await (const item of stream) {
    await printItem(item, invocation.has('d'), context);
    await out.flush();
    if (++count === end.count) break;
  }
  end.signal.removeEventListener('abort', stop);
}

async function printItem(item: WatchItem, withData: boolean, context: Context): Promise<void> {
  const { connection, out, signal } = context;
  const time = new Date().toISOString();
  if (item.type === 'gap') {
    const text = `${time} gap: changes may have been missed (${item.cause})`;
    await out.result({ time, event: 'gap', cause: item.cause }, out.paint(text, 'yellow'));
    return;
  }
  const { type, path, zxid } = item;
  const read = withData && type !== 'deleted' && type !== 'children';
  const found = read ? await tryRead(connection.zk, path, signal) : null;
  const data = found === null ? {} : { version: found.stat.version, ...dataJson(found.data) };
  const shown = found === null ? '' : ` ${dataExcerpt(found.data, EXCERPT_LENGTH)}`;
  const number = zxid === null ? '' : ` ${hex(zxid)}`;
  await out.result(
    { time, event: type, path, zxid: zxid === null ? undefined : hex(zxid), ...data },
    `${time} ${out.paint(type.padEnd(8), COLOURS[type])} ${path}${number}${shown}`,
  );
}

const COLOURS = { created: 'green', changed: 'cyan', deleted: 'red', children: 'cyan' } as const;

/** null: it is gone again, or may not be read. */
async function tryRead(zk: Zk, path: string, signal: AbortSignal) {
  try {
    return await zk.tryGetData(path, { signal });
  } catch (error) {
    if (isZk(error, 'NOAUTH')) return null;
    throw error;
  }
}

async function tail(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const path = invocation.word(0);
  const end = endOf(invocation, signal);
  let count = 0;
  try {
    for await (const item of connection.zk.follow(path, bytes, { signal: end.signal })) {
      const missing = item === null;
      const json = missing ? { missing } : { version: item.stat.version, ...dataJson(item.value) };
      const text = missing ? out.paint('(there is no such znode)', 'dim') : dataText(item.value, 'auto');
      await out.result({ path, ...json }, text);
      await out.flush();
      if (++count === end.count) break;
    }
  } catch (error) {
    // Its time is over, or the user has seen enough.
    if (!end.signal.aborted) throw error;
  }
}

/** When to stop, whatever comes first. */
function endOf(
  invocation: Invocation,
  signal: AbortSignal,
): { readonly count: number; readonly signal: AbortSignal } {
  const count = invocation.integer('n') ?? Number.POSITIVE_INFINITY;
  const seconds = invocation.integer('t');
  if (count < 1) throw invocation.fail('-n is 1 or more');
  if (seconds === null) return { count, signal };
  if (seconds < 1 || seconds > SECONDS_MAX) throw invocation.fail(`-t is 1 to ${SECONDS_MAX} seconds`);
  return { count, signal: AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]) };
}

/** What a timer can count. */
const SECONDS_MAX = 2_000_000;
