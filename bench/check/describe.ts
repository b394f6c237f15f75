/** Records of a history in words, with what one needs to look into them: who, when, what came back. */
import { zxidHex } from '../../src/base/zxid.ts';
import { errorName } from '../../src/wire/error-codes.ts';
import { EventType } from '../../src/wire/watch-event.ts';
import { NO_TAG, OpKind } from './history.ts';
import { type History, Outcome, StateKind } from './merged-history.ts';

const KIND_NAMES: Readonly<Record<number, string>> = {
  [OpKind.write]: 'write',
  [OpKind.read]: 'read',
  [OpKind.freshRead]: 'sync + read',
  [OpKind.watchSet]: 'read with watch',
  [OpKind.existsWatchSet]: 'exists with watch',
  [OpKind.childRead]: 'list of children',
  [OpKind.childWatchSet]: 'list of children with watch',
  [OpKind.create]: 'create',
  [OpKind.delete]: 'delete',
};

const EVENT_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(EventType).map(([name, type]) => [type, name]),
);

/** `write of value 17 by session 5 (12.345 .. 13.002 ms, zxid 0x1a, mzxid 0x1a, version 3)`. */
export function describeRow(history: History, row: number): string {
  const kind = history.kind[row]!;
  if (kind === StateKind.initial) return `the state before the run (${resultText(history, row)})`;
  if (kind === StateKind.final) return `the state after the run (${resultText(history, row)})`;
  const session = `session ${history.session[row]}`;
  if (kind === OpKind.event) {
    return `event ${eventName(history, row)} in ${session} (${msText(history.invokeUs[row]!)} ms)`;
  }
  const tag = history.tag[row]!;
  const value = tag === NO_TAG ? '' : ` of value ${tag}`;
  return `${KIND_NAMES[kind]}${value} by ${session} (${timesText(history, row)}${outcomeText(history, row)})`;
}

export function eventName(history: History, row: number): string {
  const type = history.version[row]!;
  return EVENT_NAMES.get(type) ?? `of unknown type ${type}`;
}

export function zxidText(zxid: number): string {
  return zxid < 0 ? String(zxid) : `0x${zxidHex(zxid)}`;
}

/** Instants count from the first request of the history. */
export function msText(us: number): string {
  return (us / 1000).toFixed(3);
}

function timesText(history: History, row: number): string {
  const from = msText(history.invokeUs[row]!);
  return history.hasReply(row) ? `${from} .. ${msText(history.returnUs[row]!)} ms` : `sent at ${from} ms`;
}

function outcomeText(history: History, row: number): string {
  if (!history.hasReply(row)) return ', no reply';
  const zxid = `, zxid ${zxidText(history.zxid[row]!)}`;
  if (history.outcome[row] !== Outcome.ok) return `${zxid}, ${errorName(history.error[row]!)}`;
  return history.mzxid[row]! > 0 ? `${zxid}, ${resultText(history, row)}` : zxid;
}

function resultText(history: History, row: number): string {
  return `mzxid ${zxidText(history.mzxid[row]!)}, version ${history.version[row]}`;
}
