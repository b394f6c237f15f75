/** Many connections at once, in batches that the listen backlog takes. */
import { readFileSync } from 'node:fs';

const BATCH = 250;
/** What a process needs besides its connections. */
const OTHER_FILES = 300;

/** `count` of what `open` gives. */
export async function crowd<T>(count: number, open: (index: number) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  while (all.length < count) {
    const from = all.length;
    const length = Math.min(BATCH, count - from);
    all.push(...(await Promise.all(Array.from({ length }, (_, i) => open(from + i)))));
  }
  return all;
}

/** How many connections this process may hold: Node has raised its limit as far as the system lets it. */
export function connectionsPossible(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  const openFiles = /^Max open files\s+(\d+|unlimited)/m.exec(limits)![1]!;
  return openFiles === 'unlimited' ? Number.POSITIVE_INFINITY : Number(openFiles) - OTHER_FILES;
}
