/**
 * The program with its modules joined into few files. A server loads 500 modules, which is most of the CPU of its start; `npm test`
 * starts hundreds of servers. The sources are the same, and so is what runs; what is told by a place in the source tree is not.
 *
 *     dist/test-XXXXXX/package.json, src/bin/ringkeeper.js, bench/presets   as in the checkout
 *                      dist/src/bin/main.js, dist/src/server/…-worker.js    each entry
 *                      dist/chunks                                          what several of them share
 *
 * It lies inside the checkout: packages are found, and git tells its commit.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What is run or handed to a thread by its place. */
const ENTRIES: readonly string[] = [
  'src/bin/main.ts',
  'src/server/**/*-worker.ts',
  'bench/generator/generator-main.ts',
  'bench/null-server/main.ts',
  'bench/availability/slow-sync.ts',
];
/** Packages that look for files of their own. */
const KEPT_APART: readonly string[] = ['yargs', 'pino', 'pino-pretty', 'piscina', 'echarts'];
/** For packages in the older module format. */
const REQUIRE = `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);`;

export interface Bundle {
  readonly directory: string;
  readonly launcher: string;
}

/** null = the bundler is not installed. */
export function bundleProgram(root: string): Bundle | null {
  let bundler: string;
  try {
    const { resolve } = createRequire(createRequire(import.meta.url).resolve('esbuild/package.json'));
    bundler = resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`);
  } catch {
    return null;
  }
  mkdirSync(join(root, 'dist'), { recursive: true });
  const directory = mkdtempSync(join(root, 'dist', 'test-'));
  for (const part of ['package.json', 'src/bin/ringkeeper.js', 'bench/presets'])
    cpSync(join(root, part), join(directory, part), { recursive: true });
  const options = [
    '--bundle',
    '--splitting',
    '--format=esm',
    '--platform=node',
    '--target=esnext',
    '--log-level=error',
    `--outbase=${root}`,
    `--outdir=${join(directory, 'dist')}`,
    '--chunk-names=chunks/[name]-[hash]',
    `--banner:js=${REQUIRE}`,
    ...KEPT_APART.map((name) => `--external:${name}`),
  ];
  execFileSync(bundler, [...globSync(ENTRIES, { cwd: root }), ...options], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { directory, launcher: join(directory, 'src/bin/ringkeeper.js') };
}
