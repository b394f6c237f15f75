/** Where this package lies: the repository, or its folder under node_modules, where the engine runs from `dist`. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PACKAGE_ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

/** This file's own suffix: `.ts` in the repository, `.js` where it was compiled. For entries that are not imported. */
export const SOURCE_SUFFIX = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/** A file of the repository without its suffix, as this process runs it: this file may have become part of another. */
export function sourceFile(path: string): string {
  return join(PACKAGE_ROOT, SOURCE_SUFFIX === '.ts' ? '' : 'dist', `${path}${SOURCE_SUFFIX}`);
}

/** The version in package.json. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('this package has lost its package.json');
  return findRoot(parent);
}
