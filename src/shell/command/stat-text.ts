/**
 * A Stat as Apache's shell prints it, line for line, times in the local time zone; and as JSON, ids in hex. Pure, but for
 * the time zone.
 */
import type { Stat } from '../../client/index.ts';
import type { Json } from './output.ts';

export function statText(stat: Stat): string {
  return [
    `cZxid = ${hex(stat.czxid)}`,
    `ctime = ${dateText(stat.ctime)}`,
    `mZxid = ${hex(stat.mzxid)}`,
    `mtime = ${dateText(stat.mtime)}`,
    `pZxid = ${hex(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${idText(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ].join('\n');
}

export function statJson(stat: Stat): Json {
  const { czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion, dataLength, numChildren } = stat;
  return {
    czxid: hex(czxid),
    mzxid: hex(mzxid),
    pzxid: hex(pzxid),
    ctime,
    mtime,
    version,
    cversion,
    aversion,
    ephemeralOwner: idText(stat.ephemeralOwner),
    dataLength,
    numChildren,
  };
}

export function hex(zxid: number): string {
  return `0x${zxid.toString(16)}`;
}

/** A session id, or whatever else stands in its place. */
export function idText(id: bigint): string {
  return `0x${BigInt.asUintN(64, id).toString(16)}`;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** `Thu Jan 01 00:00:00 UTC 1970` */
function dateText(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return String(ms);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
  const day = `${DAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${twoDigits(date.getDate())}`;
  return `${day} ${time} ${zoneText(date)} ${date.getFullYear()}`;
}

function zoneText(date: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
