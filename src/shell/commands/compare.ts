/**
 * `diff`: two trees side by side, each of this cluster, of another one, or of a dump. Both come in the same order, so one
 * pass tells what is only here, only there, or different, in bounded memory.
 */
import type { Zk } from '../../client/index.ts';
import { pathProblem } from '../../client/paths.ts';
import { aclLine } from '../command/acl-text.ts';
import type { Context } from '../command/context.ts';
import { dataExcerpt } from '../command/data-text.ts';
import { Status, toldAlready, usageError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import type { CommandSpec } from '../command/spec.ts';
import { readDump } from '../tree/dump-file.ts';
import { comparePaths, readTree, type Znode } from '../tree/znodes.ts';

const FILE_PREFIX = 'file:';
const SRV_PREFIX = 'dns-srv://';
const EXCERPT_LENGTH = 40;

export const diffCommand: CommandSpec = {
  name: 'diff',
  group: 'Trees',
  help: 'Compare two trees: /path, servers/path of another cluster, file:dump; status 1 when they differ',
  positionals: [
    { name: 'left', kind: 'pathOrServers' },
    { name: 'right', kind: 'pathOrServers' },
  ],
  flags: [
    { name: 'acl', help: 'ACLs too' },
    { name: 'q', help: 'only how many' },
    { name: 'auth', help: 'prove the identities of this session to the other cluster too' },
  ],
  run: diff,
};

interface Side {
  readonly znodes: AsyncGenerator<Znode>;
  close(): Promise<void>;
}

async function diff(invocation: Invocation, context: Context): Promise<void> {
  const left = await openSide(invocation.word(0), invocation, context);
  try {
    const right = await openSide(invocation.word(1), invocation, context);
    try {
      await compare(left, right, invocation, context);
    } finally {
      await right.close();
    }
  } finally {
    await left.close();
  }
}

async function openSide(operand: string, invocation: Invocation, context: Context): Promise<Side> {
  const { connection, signal } = context;
  const withAcl = invocation.has('acl');
  const nothing = async (): Promise<void> => undefined;
  if (operand.startsWith(FILE_PREFIX)) {
    return { znodes: readDump(operand.slice(FILE_PREFIX.length)), close: nothing };
  }
  const hosts = operand.startsWith(SRV_PREFIX) ? SRV_PREFIX.length : 0;
  const slash = operand.indexOf('/', hosts);
  const servers = slash < 0 ? operand : operand.slice(0, slash);
  const path = slash < 0 ? '/' : operand.slice(slash);
  const problem = pathProblem(path);
  if (problem !== null) throw usageError(`diff: path "${path}" ${problem}`);
  if (servers === '') return { znodes: readTree(connection.zk, path, { signal, withAcl }), close: nothing };
  const other: Zk = await connection.openOther(servers, invocation.has('auth'), signal);
  return { znodes: readTree(other, path, { signal, withAcl }), close: () => other.close() };
}

interface Counts {
  same: number;
  onlyLeft: number;
  onlyRight: number;
  different: number;
}

/** @throws ShellError with status 1 when they differ. */
async function compare(left: Side, right: Side, invocation: Invocation, { out }: Context): Promise<void> {
  const isQuiet = invocation.has('q');
  const counts: Counts = { same: 0, onlyLeft: 0, onlyRight: 0, different: 0 };
  for await (const [a, b] of inPairs(left.znodes, right.znodes)) {
    if (b === null) {
      counts.onlyLeft++;
      if (!isQuiet) await out.result({ only: 'left', path: a!.path }, out.paint(`- ${a!.path}`, 'red'));
    } else if (a === null) {
      counts.onlyRight++;
      if (!isQuiet) await out.result({ only: 'right', path: b.path }, out.paint(`+ ${b.path}`, 'green'));
    } else {
      const changes = changesOf(a, b);
      if (changes.length === 0) counts.same++;
      else counts.different++;
      if (isQuiet || changes.length === 0) continue;
      const text = changes.map(({ what, from, to }) => `${what} ${from} → ${to}`).join(', ');
      await out.result({ path: a.path, changes }, out.paint(`~ ${a.path} ${text}`, 'yellow'));
    }
  }
  const { same, onlyLeft, onlyRight, different } = counts;
  await out.result(
    { ...counts },
    `${same} the same, ${different} different, ${onlyLeft} only left, ${onlyRight} only right`,
  );
  if (onlyLeft + onlyRight + different > 0) throw toldAlready(Status.refused);
}

/** Merges two trees in the order of their paths; null where one has no such znode. */
async function* inPairs(
  left: AsyncGenerator<Znode>,
  right: AsyncGenerator<Znode>,
): AsyncGenerator<readonly [Znode | null, Znode | null]> {
  const next = async (side: AsyncGenerator<Znode>): Promise<Znode | null> => {
    const { value, done } = await side.next();
    return done === true ? null : value;
  };
  try {
    let [a, b] = await Promise.all([next(left), next(right)]);
    while (a !== null || b !== null) {
      const order = a === null ? 1 : b === null ? -1 : comparePaths(a.path, b.path);
      if (order < 0) {
        yield [a, null];
        a = await next(left);
      } else if (order > 0) {
        yield [null, b];
        b = await next(right);
      } else {
        yield [a, b];
        [a, b] = await Promise.all([next(left), next(right)]);
      }
    }
  } finally {
    await Promise.all([left.return(undefined), right.return(undefined)]);
  }
}

interface Change {
  readonly [key: string]: string;
  readonly what: 'data' | 'kind' | 'acl';
  readonly from: string;
  readonly to: string;
}

function changesOf(a: Znode, b: Znode): Change[] {
  const changes: Change[] = [];
  if (!sameBytes(a.data, b.data)) {
    changes.push({
      what: 'data',
      from: dataExcerpt(a.data, EXCERPT_LENGTH),
      to: dataExcerpt(b.data, EXCERPT_LENGTH),
    });
  }
  // Of the other kinds servers do not tell.
  if ((a.kind === 'ephemeral') !== (b.kind === 'ephemeral'))
    changes.push({ what: 'kind', from: a.kind, to: b.kind });
  if (a.acl !== null && b.acl !== null) {
    const [from, to] = [aclLine(a.acl), aclLine(b.acl)];
    if (from !== to) changes.push({ what: 'acl', from, to });
  }
  return changes;
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return Buffer.compare(a, b) === 0;
}
