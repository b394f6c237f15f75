/**
 * Apache's quota commands. A quota is two znodes of the server's, whose text and place all tools agree on; the server counts.
 *
 *     /zookeeper/quota/a/b/zookeeper_limits   count=5,bytes=-1=;byteHardLimit=-1;countHardLimit=10    -1 = no limit
 *     /zookeeper/quota/a/b/zookeeper_stats    count=8,bytes=13                                        the server's
 */
import { isZk, parentOf, type Zk } from '../../client/index.ts';
import { toServerPath } from '../../client/paths.ts';
import type { Context } from '../command/context.ts';
import { textOf } from '../command/data-text.ts';
import { refusedError, usageError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import type { Flag, Positional } from '../command/shape.ts';
import type { CommandSpec } from '../command/spec.ts';
import { rootView } from '../tree/root-view.ts';
import { walkTree } from '../tree/walk.ts';

const QUOTA_ROOT = '/zookeeper/quota';
const LIMITS = 'zookeeper_limits';
const STATS = 'zookeeper_stats';
const NO_LIMIT = -1;

interface Limits {
  readonly count: number;
  readonly bytes: number;
  readonly byteHardLimit: number;
  readonly countHardLimit: number;
}
const NO_LIMITS: Limits = {
  count: NO_LIMIT,
  bytes: NO_LIMIT,
  byteHardLimit: NO_LIMIT,
  countHardLimit: NO_LIMIT,
};
/** By the flag that names it. */
const FIELDS = { n: 'count', b: 'bytes', N: 'countHardLimit', B: 'byteHardLimit' } as const;
type LimitFlag = keyof typeof FIELDS;
const LIMIT_FLAGS = Object.keys(FIELDS) as LimitFlag[];

const PATH: Positional = { name: 'path', kind: 'path' };
const LIMIT_HELP: Readonly<Record<LimitFlag, string>> = {
  n: 'number of znodes, warned of',
  b: 'bytes, warned of',
  N: 'number of znodes, enforced',
  B: 'bytes, enforced',
};
const settings: readonly Flag[] = LIMIT_FLAGS.map((name) => ({
  name,
  value: 'val',
  kind: 'integer',
  help: LIMIT_HELP[name],
}));
const switches: readonly Flag[] = LIMIT_FLAGS.map((name) => ({
  name,
  help: `only this limit: ${LIMIT_HELP[name]}`,
}));

export const quotaCommands: readonly CommandSpec[] = [
  {
    name: 'listquota',
    group: 'Quota',
    help: 'Print the quota of a path and what is used of it',
    positionals: [PATH],
    flags: [],
    run: listQuota,
  },
  {
    name: 'setquota',
    group: 'Quota',
    help: 'Limit what may lie below a path',
    positionals: [PATH],
    flags: settings,
    run: setQuota,
  },
  {
    name: 'delquota',
    group: 'Quota',
    help: 'Take a quota away, or one limit of it',
    positionals: [PATH],
    flags: switches,
    run: deleteQuota,
  },
];

async function listQuota(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const path = invocation.word(0);
  const quota = quotaOf(connection.zk, path);
  const limits = await quota.zk.tryGetData(quota.limitsPath, { signal });
  if (limits === null) {
    await out.result(
      { path, quota: null },
      `absolute path is ${quota.limitsPath}\nquota for ${path} does not exist.`,
    );
    return;
  }
  const found = parseLimits(limits.data);
  const stats = await quota.zk.tryGetData(quota.statsPath, { signal });
  const used = stats === null ? null : parseLimits(stats.data);
  const lines = [
    `absolute path is ${quota.limitsPath}`,
    `Output quota for ${path} ${limitsText(found)}`,
    ...(used === null ? [] : [`Output stat for ${path} count=${used.count},bytes=${used.bytes}`]),
  ];
  const usedJson = used === null ? null : { count: used.count, bytes: used.bytes };
  await out.result({ path, quota: { ...found }, used: usedJson }, lines.join('\n'));
}

async function setQuota(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const { zk } = connection;
  const path = invocation.word(0);
  const wanted = LIMIT_FLAGS.filter((flag) => invocation.has(flag));
  if (wanted.length === 0) throw invocation.fail('one of -n, -b, -N, -B is missing');
  const quota = quotaOf(zk, path);
  if (quota.path === '/') throw usageError('setquota: the root cannot have a quota');
  if (quota.path.startsWith(`${QUOTA_ROOT}/`) || quota.path === QUOTA_ROOT)
    throw usageError(`setquota: cannot set a quota under the path: ${QUOTA_ROOT}`);
  const changes: Partial<Record<keyof Limits, number>> = {};
  for (const flag of wanted) {
    const value = invocation.integer(flag)!;
    if (value < 0) throw invocation.fail(`-${flag} is 0 or more, not ${value}`);
    changes[FIELDS[flag]] = value;
  }
  if ((await zk.exists(path, { signal })) === null) throw refusedError(`${path} does not exist.`);
  await refuseNesting(quota, path, signal);
  const limits = await writeLimits(quota, changes, signal);
  const stats = await quota.zk.tryGetData(quota.statsPath, { signal });
  if (!out.json)
    for (const warning of warningsOf(limits, parseLimits(stats?.data ?? null))) await out.line(warning);
  await out.result({ path, quota: { ...limits } }, '');
}

async function deleteQuota(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const path = invocation.word(0);
  const quota = quotaOf(connection.zk, path);
  const { zk, limitsPath } = quota;
  const found = await zk.tryGetData(limitsPath, { signal });
  if (found === null) {
    await out.result({ path, quota: null }, `Quota does not exist for ${path}`);
    return;
  }
  const named = LIMIT_FLAGS.filter((flag) => invocation.has(flag));
  if (named.length > 0) {
    const rest = {
      ...parseLimits(found.data),
      ...Object.fromEntries(named.map((flag) => [FIELDS[flag], NO_LIMIT])),
    };
    await zk.setData(limitsPath, limitsText(rest), { version: found.stat.version, signal });
    await out.result({ path, quota: { ...rest } }, '');
    return;
  }
  await zk.delete(limitsPath, { signal, ifExists: true });
  await zk.delete(quota.statsPath, { signal, ifExists: true });
  await trim(quota, signal);
  await out.result({ path, quota: null }, '');
}

interface Quota {
  /** The view that has the server's own znodes in it. */
  readonly zk: Zk;
  /** As the server names it. */
  readonly path: string;
  readonly folder: string;
  readonly limitsPath: string;
  readonly statsPath: string;
}

function quotaOf(view: Zk, clientPath: string): Quota {
  const path = toServerPath(view.chroot, clientPath);
  const folder = path === '/' ? QUOTA_ROOT : `${QUOTA_ROOT}${path}`;
  return {
    zk: rootView(view),
    path,
    folder,
    limitsPath: `${folder}/${LIMITS}`,
    statsPath: `${folder}/${STATS}`,
  };
}

/** The server counts for one quota on a way only. */
async function refuseNesting(quota: Quota, path: string, signal: AbortSignal): Promise<void> {
  const { zk, folder, limitsPath } = quota;
  for (let above = parentOf(folder); above !== QUOTA_ROOT; above = parentOf(above)) {
    if ((await zk.exists(`${above}/${LIMITS}`, { signal })) !== null)
      throw refusedError(`${path} has a parent ${above.slice(QUOTA_ROOT.length)} which has a quota`);
  }
  try {
    for await (const visit of walkTree(zk, folder, { signal })) {
      if (visit.path === limitsPath || !visit.path.endsWith(`/${LIMITS}`)) continue;
      const child = parentOf(visit.path).slice(QUOTA_ROOT.length);
      throw refusedError(`${path} has a child ${child} which has a quota`);
    }
  } catch (error) {
    if (!isZk(error, 'NONODE')) throw error;
  }
}

async function writeLimits(
  { zk, folder, limitsPath, statsPath }: Quota,
  changes: Partial<Limits>,
  signal: AbortSignal,
): Promise<Limits> {
  const found = await zk.tryGetData(limitsPath, { signal });
  const limits: Limits = { ...(found === null ? NO_LIMITS : parseLimits(found.data)), ...changes };
  if (found !== null) {
    await zk.setData(limitsPath, limitsText(limits), { version: found.stat.version, signal });
    return limits;
  }
  await zk.ensurePath(folder, 'persistent', { signal });
  await zk.create(limitsPath, limitsText(limits), { signal });
  try {
    // Its creation makes the server count.
    await zk.create(statsPath, 'count=0,bytes=0', { signal });
  } catch (error) {
    if (!isZk(error, 'NODEEXISTS')) throw error;
  }
  return limits;
}

/** Folders that no other quota needs. */
async function trim({ zk, folder }: Quota, signal: AbortSignal): Promise<void> {
  for (let path = folder; path !== QUOTA_ROOT; path = parentOf(path)) {
    try {
      await zk.delete(path, { signal, ifExists: true });
    } catch (error) {
      if (isZk(error, 'NOTEMPTY')) return;
      throw error;
    }
  }
}

function warningsOf(limits: Limits, used: Limits): string[] {
  const isOver = (existing: number, ...bounds: number[]): boolean =>
    bounds.some((bound) => bound !== NO_LIMIT && bound < existing);
  const warnings: string[] = [];
  if (isOver(used.count, limits.count, limits.countHardLimit))
    warnings.push(`[Warning]: the count quota you create is less than the existing count:${used.count}`);
  if (isOver(used.bytes, limits.bytes, limits.byteHardLimit))
    warnings.push(`[Warning]: the bytes quota you create is less than the existing bytes:${used.bytes}`);
  return warnings;
}

function limitsText({ count, bytes, byteHardLimit, countHardLimit }: Limits): string {
  return `count=${count},bytes=${bytes}=;byteHardLimit=${byteHardLimit};countHardLimit=${countHardLimit}`;
}

/** What is missing is no limit. */
function parseLimits(data: Uint8Array | null): Limits {
  const limits: Record<string, number> = { ...NO_LIMITS };
  for (const part of (textOf(data ?? new Uint8Array(0)) ?? '').split(/[,;]+/)) {
    const [name, value] = part.split('=');
    if (name !== undefined && name in limits && value !== undefined && value !== '')
      limits[name] = Number(value);
  }
  return limits as unknown as Limits;
}
