/**
 * ringkeeper as it was at another commit, for comparisons. Its tree is checked out beside the data (a git worktree),
 * once per process and commit, and removed when the process ends.
 *
 *     REV --rev-parse--> sha --git worktree add--> tree --same package-lock.json--> node_modules is a link to ours
 *                                                       '--another one--> npm ci in the tree
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ConfigFailure } from '../../src/base/failure.ts';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import { makeTempDir } from './child-server.ts';
import { LAUNCHER, startEmbedded } from './embedded.ts';
import type { Target, TargetOptions } from './target.ts';
import type { TargetSpec } from './target-spec.ts';

type CommitSpec = Extract<TargetSpec, { kind: 'commit' }>;

const run = promisify(execFile);
const INSTALL_MS_MAX = 600_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const ERROR_CHARS_MAX = 500;
const SHORT_SHA = 7;

/** Trees of this process by checkout and sha. */
const trees = new Map<string, Promise<string>>();
const removals = new Set<() => void>();

/** @throws ConfigFailure when REV is no commit, this is no checkout, or the tree cannot be made ready. */
export async function startCommit(
  spec: CommitSpec,
  options: TargetOptions,
  checkout: string = PACKAGE_ROOT,
): Promise<Target> {
  const sha = await resolveCommit(spec, checkout);
  const key = `${checkout} ${sha}`;
  let tree = trees.get(key);
  if (tree === undefined) {
    tree = makeTree(spec, sha, options.tempParent, checkout);
    trees.set(key, tree);
    tree.catch(() => trees.delete(key));
  }
  const short = sha.slice(0, SHORT_SHA);
  return startEmbedded(spec, options, { name: `commit-${short}`, label: short, root: await tree });
}

/** Removes the trees now; the end of the process does it too. */
export function removeCommitTrees(): void {
  for (const remove of removals) remove();
  removals.clear();
  trees.clear();
}

async function resolveCommit(spec: CommitSpec, checkout: string): Promise<string> {
  if ((await topLevel(checkout)) !== realpathSync(checkout)) {
    throw refusal(
      spec,
      'this ringkeeper is no git checkout, so it has no other commits - clone the repository and run it there',
    );
  }
  try {
    return (await git(checkout, 'rev-parse', '--verify', '--quiet', `${spec.rev}^{commit}`)).trim();
  } catch {
    throw refusal(
      spec,
      `"${spec.rev}" is no commit here - allowed: a hash, branch, tag or expression such as HEAD~1`,
    );
  }
}

/** Null outside of any checkout, and without git. */
async function topLevel(checkout: string): Promise<string | null> {
  try {
    return realpathSync((await git(checkout, 'rev-parse', '--show-toplevel')).trim());
  } catch {
    return null;
  }
}

async function makeTree(
  spec: CommitSpec,
  sha: string,
  tempParent: string,
  checkout: string,
): Promise<string> {
  const tree = join(makeTempDir(tempParent), 'tree');
  if (removals.size === 0) process.once('exit', removeCommitTrees);
  removals.add(() => removeTree(checkout, tree));
  try {
    await git(checkout, 'worktree', 'add', '--detach', '--quiet', tree, sha);
    if (!existsSync(join(tree, LAUNCHER))) throw refusal(spec, `that commit has no ${LAUNCHER} yet`);
    await provideModules(tree, checkout);
    return tree;
  } catch (error) {
    removeTree(checkout, tree);
    if (error instanceof ConfigFailure) throw error;
    throw refusal(spec, `its tree could not be prepared: ${lastWords(error)}`);
  }
}

/** Another lock file may mean another version of anything: then nothing of this checkout is used. */
async function provideModules(tree: string, checkout: string): Promise<void> {
  const modules = join(checkout, 'node_modules');
  if (existsSync(modules) && lockOf(tree) === lockOf(checkout)) {
    symlinkSync(realpathSync(modules), join(tree, 'node_modules'), 'dir');
    return;
  }
  await run('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: tree,
    timeout: INSTALL_MS_MAX,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
}

function lockOf(root: string): string | null {
  const file = join(root, 'package-lock.json');
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function removeTree(checkout: string, tree: string): void {
  try {
    execFileSync('git', ['worktree', 'remove', '--force', tree], { cwd: checkout, stdio: 'ignore' });
  } catch {
    // It was never added, or is gone; what is left of it goes with the folder, and git forgets it by itself.
  }
  rmSync(dirname(tree), { recursive: true, force: true });
}

async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await run('git', args, { cwd, encoding: 'utf8' })).stdout;
}

function lastWords(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).slice(-ERROR_CHARS_MAX);
}

function refusal(spec: CommitSpec, why: string): ConfigFailure {
  return new ConfigFailure(`--target: "${spec.text}" - ${why}`);
}
