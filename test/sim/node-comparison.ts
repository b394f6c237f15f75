/** What a client was told of a znode, against the model's. */
import type { MultiResult, Response } from '../../src/wire/responses.ts';
import type { Stat } from '../../src/wire/stat.ts';
import type { ModelNode } from './model.ts';
import { Violation } from './world.ts';

export function compareNode(told: Response | MultiResult, node: ModelNode, what: string): void {
  if ('stat' in told) compareStat(told.stat, node, what);
  if ('data' in told && !isSame(told.data, node.data)) throw new Violation(`${what} is told other data`);
  if ('children' in told) {
    const names = [...told.children].sort().join();
    const true_ = [...node.children].sort().join();
    if (names !== true_) throw new Violation(`${what} is told ${names} instead of ${true_}`);
  }
}

export function compareStat(told: Stat, node: ModelNode | null, what: string): void {
  if (node === null) throw new Violation(`${what}: the znode does not exist`);
  const wanted: Partial<Record<keyof Stat, number | bigint>> = {
    czxid: node.czxid,
    mzxid: node.mzxid,
    pzxid: node.pzxid,
    version: node.version,
    cversion: node.cversion,
    aversion: node.aversion,
    numChildren: node.children.length,
    dataLength: node.data?.length ?? 0,
  };
  if (node.kind === 'plain' || node.kind === 'ephemeral') wanted.ephemeralOwner = node.owner;
  for (const [field, value] of Object.entries(wanted)) {
    const is = told[field as keyof Stat];
    if (is !== value) throw new Violation(`${what}: ${field} is told as ${is}, not ${value}`);
  }
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
