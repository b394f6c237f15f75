/**
 * This checkout as a user has it after `npm install`: compiled, under a `node_modules`. Run from source, each thread of
 * the server carries the machinery that strips the types (some 30 MB in all), which is no part of the product: who
 * measures memory starts the server from here.
 *
 *     <temporary>/node_modules/ringkeeper/{package.json, src/bin/ringkeeper.js, dist/src}
 *                             /<dependency> -> the checkout's
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PACKAGE_ROOT, packageVersion, SOURCE_SUFFIX } from '../base/package-root.ts';
import { makeTempDir } from './child-server.ts';
import { type Build, LAUNCHER } from './embedded.ts';

const NAME = 'ringkeeper';

export interface InstalledCopy extends Build {
  remove(): void;
}

/** Compiles what has changed first. An installed package is its own copy. */
export function makeInstalledCopy(tempParent: string): InstalledCopy {
  const build = { name: 'embedded', label: `${packageVersion()}, compiled` };
  if (SOURCE_SUFFIX === '.js') return { ...build, root: PACKAGE_ROOT, remove: () => undefined };
  const compiler = join(PACKAGE_ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '-b'], { cwd: PACKAGE_ROOT, stdio: 'inherit' });
  const temporary = makeTempDir(tempParent);
  const modules = join(temporary, 'node_modules');
  const root = join(modules, NAME);
  mkdirSync(join(root, dirname(LAUNCHER)), { recursive: true });
  for (const part of ['package.json', LAUNCHER, join('dist', 'src')]) {
    cpSync(join(PACKAGE_ROOT, part), join(root, part), { recursive: true });
  }
  for (const dependency of readdirSync(join(PACKAGE_ROOT, 'node_modules'))) {
    if (dependency.startsWith('.') || dependency === NAME) continue;
    symlinkSync(join(PACKAGE_ROOT, 'node_modules', dependency), join(modules, dependency), 'dir');
  }
  const remove = (): void => rmSync(temporary, { recursive: true, force: true });
  process.once('exit', remove);
  return { ...build, root, remove };
}
