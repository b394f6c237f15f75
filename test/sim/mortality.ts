/**
 * Containers and znodes with a TTL: the server may delete one only when its time has come, and must do so then. What it looks at
 * may be as old as what somebody has been shown: a setData or a child that is on its way does not save a znode.
 */
import { OpCode } from '../../src/wire/opcodes.ts';
import type { Txn } from '../support/wire/txn-values.ts';
import type { Model, ModelNode } from './model.ts';
import { Violation } from './world.ts';

/** The server ends a znode: null = it may. `shownZxid`: nothing older than that can it have looked at. */
export function judgeSweep(model: Model, { body, zxid, timeMs }: Txn, shownZxid: number): string | null {
  if (body.type !== OpCode.deleteContainer) return null;
  const path = body.path!;
  const versions = model.since(path, Math.min(shownZxid, zxid - 1));
  if (versions.some((node) => isDue(node, timeMs))) return null;
  const { kind, ttlMs, mtimeMs } = versions.at(-1) ?? { kind: 'missing', ttlMs: 0, mtimeMs: 0 };
  return `zxid ${zxid} ends ${path} (${kind}, ttl ${ttlMs} ms) after ${timeMs - mtimeMs} ms, before its time`;
}

/** Znodes whose time has come, at the end of the model. */
export function overdue(model: Model, wallMs: number): string[] {
  return model.paths().filter((path) => isDue(model.at(path, model.lastZxid)!, wallMs));
}

function isDue({ kind, ttlMs, mtimeMs, created, children }: ModelNode, wallMs: number): boolean {
  if (children.length > 0) return false;
  if (kind === 'container') return created > 0;
  return kind === 'ttl' && wallMs - mtimeMs > ttlMs;
}

export function outlives(paths: readonly string[]): Violation {
  return new Violation(`${paths.join(', ')}: the time has come, and nobody ends it`);
}
