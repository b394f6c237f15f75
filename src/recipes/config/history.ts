/**
 * Copies of former versions of a configuration, written in the same transaction as the version itself:
 *
 *     /cfg                       the present document, as others read and write it
 *     /cfg/history/0000000012    {"id", "atMs", "document"} of version 12
 *
 * `id` is unique to each write, so that a writer whose reply was lost finds out whether the version is its own.
 */
import { childOf, isZk, removeLater, type Zk } from '../../client/index.ts';
import { type Document, isDocument, parseDocument } from './layers.ts';

/** A version that was written with `set`, `update` or `rollback`. */
export interface FormerVersion {
  readonly version: number;
  /** By the clock of who wrote it. */
  readonly atMs: number;
  readonly document: Document;
}

const NAME = /^\d{10}$/;
const DIGITS = 10;

export function historyPath(path: string): string {
  return childOf(path, 'history');
}

export function copyPath(path: string, version: number): string {
  return childOf(historyPath(path), String(version).padStart(DIGITS, '0'));
}

export function copyOf(document: Document, id: string): string {
  return JSON.stringify({ id, atMs: Date.now(), document });
}

/** The id of the write that made this version; null = there is no copy of it. */
export async function writerOf(
  zk: Zk,
  path: string,
  version: number,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  // Another server may be behind the one that took the request.
  await zk.sync(path, { signal });
  const found = await zk.tryGetData(copyPath(path, version), { signal });
  return found === null ? null : String(parseDocument(found.data)['id']);
}

/** The newest first. */
export async function readHistory(
  zk: Zk,
  path: string,
  signal: AbortSignal | undefined,
): Promise<FormerVersion[]> {
  const names = await namesAt(zk, path, signal);
  const reads = names.map(async (name): Promise<FormerVersion | null> => {
    const found = await zk.tryGetData(childOf(historyPath(path), name), { signal });
    if (found === null) return null;
    const { atMs, document } = parseDocument(found.data);
    return isDocument(document) ? { version: Number(name), atMs: Number(atMs), document } : null;
  });
  return (await Promise.all(reads)).filter((one) => one !== null);
}

/** Keeps the newest `count`. */
export async function trimHistory(zk: Zk, path: string, count: number): Promise<void> {
  const names = await namesAt(zk, path, undefined);
  for (const name of names.slice(count)) removeLater(zk, childOf(historyPath(path), name));
}

/** The newest first. */
async function namesAt(zk: Zk, path: string, signal: AbortSignal | undefined): Promise<string[]> {
  try {
    const { names } = await zk.children(historyPath(path), { signal });
    return names
      .filter((name) => NAME.test(name))
      .sort()
      .reverse();
  } catch (error) {
    if (isZk(error, 'NONODE')) return [];
    throw error;
  }
}
