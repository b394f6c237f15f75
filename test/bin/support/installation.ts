/** A copy of the program with the packages that a server loads, to be removed or written over while it runs. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './shell-server.ts';

interface Lock {
  /** By folder, from the root. */
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
}

/** The engine's charts: large, and nothing that a server loads. */
const LEFT_OUT = /\/(?:echarts|zrender)$/;

/** Returns its launcher. */
export function installCopy(directory: string): string {
  mkdirSync(directory);
  cpSync(join(ROOT, 'src'), join(directory, 'src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'));
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  for (const [folder, { dev, optional }] of Object.entries(packages)) {
    if (folder === '' || dev || optional || LEFT_OUT.test(folder)) continue;
    cpSync(join(ROOT, folder), join(directory, folder), { recursive: true });
  }
  return join(directory, 'src', 'bin', 'ringkeeper.js');
}

/** Every file of the program becomes one of another version, which cannot run in this process. */
export function overwrite(directory: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    if (/\.[cm]?[jt]s$/.test(entry.name)) writeFileSync(file, "throw new Error('the next version');\n");
    if (entry.name === 'package.json' && dirname(file) === directory) {
      writeFileSync(file, JSON.stringify({ name: 'ringkeeper', version: '9.9.9', type: 'module' }));
    }
  }
}
