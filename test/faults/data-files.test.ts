/**
 * Empty, missing and corrupt data files: a start gives everything that was acknowledged, or a clear line and a status.
 * What Apache 3.8.0 makes of the same files: README.md, by `node test/faults/main.ts --what damage`.
 */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import { DAMAGES, dataFilesIn } from './support/damage.ts';
import { fillWithHistory, namesOfHistory } from './support/history.ts';
import { recoveredFrom } from './support/recovered.ts';
import { childrenOf } from './support/requests.ts';
import { Workspace } from './support/workspace.ts';

const CORRUPTION_STATUS = 10;
/** One of each kind by a whole server: an older snapshot, a torn end that is cut off, no snapshot, a bad log, a failing call. */
const BY_A_SERVER: ReadonlySet<string> = new Set([
  'newest snapshot cut in half',
  'half a record behind the last of the newest log',
  'every snapshot removed',
  'a flipped bit in the middle of the newest log',
  'a folder by the name of a log',
]);

let origin: Workspace;
let workspace: Workspace;

before(async () => {
  origin = new Workspace();
  await fillWithHistory(origin);
});
after(() => origin.dispose());

beforeEach(() => {
  workspace = new Workspace();
  cpSync(origin.dataDir, workspace.dataDir, { recursive: true });
});
afterEach(() => workspace.dispose());

function contentsOf(directory: string): Map<string, Buffer | null> {
  const files = readdirSync(directory).map((name) => join(directory, name));
  return new Map(files.map((path) => [path, statSync(path).isDirectory() ? null : readFileSync(path)]));
}

test('damages that are tried with a whole server exist', () => {
  assert.equal(DAMAGES.filter(({ what }) => BY_A_SERVER.has(what)).length, BY_A_SERVER.size);
});

for (const { what, make, starts, refuses } of DAMAGES) {
  const outcome = refuses === undefined ? 'everything is there' : 'refused';

  test(`${what}: ${outcome}`, () => {
    make(dataFilesIn(workspace.files));
    if (refuses !== undefined) {
      const damaged = contentsOf(workspace.files);
      assert.throws(() => recoveredFrom(workspace), refuses);
      assert.deepEqual(contentsOf(workspace.files), damaged, 'the files are left as they are');
      return;
    }
    const { names, warnings } = recoveredFrom(workspace);
    assert.deepEqual(names, namesOfHistory());
    if (starts) assert.match(warnings.join('\n'), starts);
  });

  if (!BY_A_SERVER.has(what)) continue;
  test(`${what}: ${outcome}, by a server`, async () => {
    make(dataFilesIn(workspace.files));
    if (refuses !== undefined) {
      const damaged = contentsOf(workspace.files);
      const server = workspace.launch();
      await server.failsWith(CORRUPTION_STATUS, refuses);
      assert.equal(server.stdout, '', 'it was never ready');
      assert.deepEqual(contentsOf(workspace.files), damaged, 'the files are left as they are');
      return;
    }
    const server = await workspace.start();
    const names = await childrenOf(await RawClient.open(server.port), '/');
    assert.deepEqual(names.sort(), namesOfHistory());
    if (starts) assert.match(server.stderr, starts);
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
  });
}

test('a second server with the same log directory is refused, the first goes on', async () => {
  const settings = { dataLogDir: join(workspace.directory, 'log') };
  const dataDir = join(workspace.directory, 'fresh');
  const first = await workspace.start({ dataDir, settings });
  const second = workspace.launch({ dataDir: join(workspace.directory, 'other'), settings });
  await second.failsWith(3, /log directory .*\/log is in use by another server; .*choose another dataLogDir/);
  assert.equal((await childrenOf(await RawClient.open(first.port), '/')).length, 1);
  assert.deepEqual(await first.stop(), { status: 0, signal: null }, first.stderr);
});

test('snapshot.trust.empty starts from the log alone, if it goes back to the beginning', async () => {
  const { snapshots, logs } = dataFilesIn(workspace.files);
  const settings = { 'snapshot.trust.empty': 'true' };
  DAMAGES.find(({ what }) => what === 'every snapshot removed')!.make(dataFilesIn(workspace.files));
  const server = await workspace.start({ settings });
  const names = await childrenOf(await RawClient.open(server.port), '/');
  assert.deepEqual(names.sort(), namesOfHistory());
  assert.ok(snapshots.length > 2 && logs.length > 2);
  await server.stop();
});
