/**
 * The two npm clients against ringkeeper: `node-zookeeper-client` (pure JavaScript, old and still used) in this process,
 * and `zookeeper` (a C++ addon around Apache's C client) in a Node it was built for.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { needRingkeeper } from '../support/skip.ts';
import { exercise, type NodeZookeeperClient } from './npm/node-zookeeper-client.ts';

/** The package has no types and is CommonJS. */
const require = createRequire(import.meta.url);

const NATIVE_DIRECTORY = join(import.meta.dirname, 'npm-zookeeper');

/** A Node outside node_modules that can load the addon; the pinned one is too new for it. */
function nodeForAddon(): string | undefined {
  if (!existsSync(join(NATIVE_DIRECTORY, 'node_modules/zookeeper'))) return undefined;
  const candidates = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
    .map((directory) => join(directory, 'node'));
  return candidates.find((node) => existsSync(node) && loadsAddon(node));
}

function loadsAddon(node: string): boolean {
  try {
    execFileSync(node, ['-e', "require('zookeeper')"], { cwd: NATIVE_DIRECTORY, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const addonNode = nodeForAddon();
const noAddon =
  addonNode === undefined &&
  'needs the npm package zookeeper 7.3.0, built by Node 18 to 22: npm ci --prefix test/compat/npm-zookeeper';

suite('npm clients', { skip: needRingkeeper() }, () => {
  test('node-zookeeper-client', async (context) => {
    const server = new RingkeeperServer();
    context.after(() => server.dispose());
    await server.start();
    const library = require('node-zookeeper-client') as NodeZookeeperClient;
    const client = library.createClient(server.address, { sessionTimeout: 30_000 });
    context.after(() => client.close());
    client.connect();
    await once(client, 'connected');
    await exercise(library, client);
  });

  test('zookeeper', { skip: noAddon }, async (context) => {
    const server = new RingkeeperServer();
    context.after(() => server.dispose());
    await server.start();
    const { stdout } = await promisify(execFile)(addonNode!, ['exercise.mjs', server.address], {
      cwd: NATIVE_DIRECTORY,
      timeout: 60_000,
    });
    assert.deepEqual(stdout.trim().split('\n'), ['crud', 'watches', 'sessions', 'pipeline']);
  });
});
