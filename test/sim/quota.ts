/**
 * A quota with hard limits on one path, by rules of its own. A server holds a write against what is committed when it prepares
 * it; when that was is known only roughly: not before what had been shown when the request was sent, not behind the write
 * itself. Where these moments disagree, both outcomes are right.
 */
import { OPEN_ACL } from '../../src/wire/acl.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import type { Request } from '../../src/wire/request-values.ts';
import type { Model } from './model.ts';

const QUOTA_PATH = '/a';
const NODE = `/zookeeper/quota${QUOTA_PATH}`;
const LIMITS = `${NODE}/zookeeper_limits`;

export type QuotaVerdict = 'allowed' | 'refused' | 'either';

/** Puts the quota in force, as a whole or not at all. */
export function quotaRequest(countMax: number, bytesMax: number): Request {
  const limits = `count=-1,bytes=-1=;byteHardLimit=${bytesMax};countHardLimit=${countMax}`;
  const part = (path: string, text: string) =>
    ({
      op: OpCode.create,
      path,
      data: new TextEncoder().encode(text),
      acl: OPEN_ACL,
      flags: 0,
    }) as const;
  const subs = [part(NODE, ''), part(LIMITS, limits), part(`${NODE}/zookeeper_stats`, 'count=0,bytes=0')];
  return { op: OpCode.multi, subs };
}

/** Of a change of the path that adds so much, prepared while what is committed was between `from` and `to`. */
export function quotaVerdict(
  model: Model,
  path: string,
  countDelta: number,
  bytesDelta: number,
  from: number,
  to: number,
): QuotaVerdict {
  if (path !== QUOTA_PATH && !path.startsWith(`${QUOTA_PATH}/`)) return 'allowed';
  if (model.at(LIMITS, to) === null) return 'allowed';
  let isAllowed = false;
  let isRefused = false;
  for (let zxid: number | undefined = from; zxid !== undefined && zxid <= to; ) {
    if (isOverAt(model, zxid, countDelta, bytesDelta)) isRefused = true;
    else isAllowed = true;
    if (isAllowed && isRefused) return 'either';
    zxid = model.after(zxid)?.txn.zxid;
  }
  return isRefused ? 'refused' : 'allowed';
}

function isOverAt(model: Model, zxid: number, countDelta: number, bytesDelta: number): boolean {
  const limits = model.at(LIMITS, zxid);
  if (limits === null) return false;
  const text = new TextDecoder().decode(limits.data!);
  const limit = (name: string): number => Number(new RegExp(`${name}=(-?\\d+)`).exec(text)![1]);
  const { count, bytes } = model.usageAt(QUOTA_PATH, zxid);
  return (
    isOver(count, countDelta, limit('countHardLimit')) || isOver(bytes, bytesDelta, limit('byteHardLimit'))
  );
}

function isOver(used: number, delta: number, limit: number): boolean {
  return delta !== 0 && limit >= 0 && used + delta > limit;
}
