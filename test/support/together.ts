/**
 * Which test files share a process. Each process compiles what it runs anew, and V8 makes it fast anew: `core` costs half as much in
 * one process as in 63. Files that share one run one after the other; each still runs by itself with `node --test`.
 *
 *     test/core/a.test.ts  ┐
 *     test/core/b.test.ts  ┴─▶  DIRECTORY/test/core/together.test.mjs   imports both
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Sharing {
  /** Of the repository. */
  readonly root: string;
  /** Where the files that import others are made. */
  readonly directory: string;
  /** Each a process: the beginnings of its files' paths. */
  readonly processes: readonly (readonly string[])[];
  /** Files with a process of their own. */
  readonly alone: ReadonlySet<string>;
}

/** Outside of every suite it would be run for the tests of all files in the process. */
const HOOK_OF_ALL = /^(?:before|after)(?:Each)?\(/m;

/** What is to be run for `files`, relative to the root: first those that share a process, the longest runs. */
export function together(files: readonly string[], { root, directory, processes, alone }: Sharing): string[] {
  const members = processes.map((): string[] => []);
  const others: string[] = [];
  for (const file of files) {
    const index = processes.findIndex((paths) => paths.some((path) => file.startsWith(path)));
    if (index < 0 || alone.has(file) || HOOK_OF_ALL.test(readFileSync(join(root, file), 'utf8'))) {
      others.push(file);
    } else members[index]!.push(file);
  }
  const shared: string[] = [];
  for (const [index, [first]] of processes.entries()) {
    const imports = members[index]!.map((file) => `import '${pathToFileURL(join(root, file))}';\n`);
    if (imports.length === 0) continue;
    const file = join(directory, first!, 'together.test.mjs');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, imports.join(''));
    shared.push(relative(root, file));
  }
  return [...shared, ...others];
}
