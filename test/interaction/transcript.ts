/**
 * Transcripts: text files that are script, expectation and documentation in one. A line that begins with `> ` is a command
 * to a small world of machines; the lines below it are what happened. `#` lines and blank lines explain and stay as they are.
 *
 *     node test/interaction/election.test.ts --rewrite     writes what happens now in place of what is expected
 *
 * A change of the protocol shows as a readable difference of these files, and is reviewed there.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

export interface TranscriptWorld {
  /** What happened, a line each. */
  run(command: string, words: readonly string[]): readonly string[];
}

/** One test per file of this folder whose name begins with `prefix`. */
export function testTranscripts(prefix: string, createWorld: () => TranscriptWorld): void {
  const names = readdirSync(import.meta.dirname).filter(
    (name) => name.startsWith(prefix) && name.endsWith('.txt'),
  );
  assert.ok(names.length > 0);
  for (const name of names.sort()) {
    test(name, () => {
      const file = join(import.meta.dirname, name);
      const expected = readFileSync(file, 'utf8');
      const actual = replay(expected, createWorld());
      if (process.argv.includes('--rewrite')) writeFileSync(file, actual);
      else assert.equal(actual, expected, `${name}; --rewrite takes the new one`);
    });
  }
}

function replay(text: string, world: TranscriptWorld): string {
  const out: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('> ')) {
      const [command, ...words] = line.slice(2).trim().split(/\s+/);
      out.push(line, ...world.run(command!, words));
    } else if (line === '' || line.startsWith('#')) {
      out.push(line);
    }
  }
  return out.join('\n');
}
