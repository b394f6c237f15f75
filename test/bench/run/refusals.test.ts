/**
 * What a running service refuses is one line in its words, and what the run made there is gone again; against both
 * servers, as a user meets it.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runVerdict } from '../../../bench/figures/verdict.ts';
import { parseRun } from '../../../bench/result/older-results.ts';
import { withSession } from '../../../bench/session/session.ts';
import { ApacheServer } from '../../support/apache.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { RingkeeperServer } from '../../support/ringkeeper.ts';
import type { ServerOptions, TestServer } from '../../support/server.ts';
import { need } from '../../support/skip.ts';
import { until } from '../../support/until.ts';
import {
  assertMeasured,
  bench,
  type Finished,
  onlyResult,
  outDir,
  refusal,
  startBench,
  tempDir,
} from '../command/support.ts';

const PERMS_ALL = 31;
const KINDS = [
  ['ringkeeper', (options: ServerOptions): TestServer => new RingkeeperServer(options), false],
  ['apache', (options: ServerOptions): TestServer => new ApacheServer(options), need('zookeeper', 'java')],
] as const;

/** A tenth of a second of reads. */
function plan(name: string): string {
  const file = join(tempDir, `${name}.yaml`);
  const phases = 'phases: {reads: {mix: {get: 1}, warmup: 0, measure: 100ms}}';
  writeFileSync(file, `connections: 2\ntree: {root: /load/here, znodes: 20, values: 50B}\n${phases}\n`);
  return file;
}

function run(server: TestServer, file: string, ...flags: readonly string[]): Promise<Finished> {
  return bench('run', file, '--no-ceiling', '--target', server.address, '--out', outDir(), ...flags);
}

/** What is said where no process of its own is needed: how a refusal ends one is asserted once per server. */
async function refused(server: TestServer, file: string, ...flags: readonly string[]): Promise<string> {
  const own = ['--no-ceiling', '--json', '--target', server.address, '--out', outDir()];
  return (await refusal('run', file, ...own, ...flags)).message;
}

/** Exactly one line that says what is wrong, beside those that say how the run goes on, with the exit status; no stack. */
function assertLine({ status, stderr, stdout }: Finished, expected: number, pattern: RegExp): void {
  assert.equal(status, expected, stderr + stdout);
  assert.match(stderr, pattern);
  const lines = stderr.trim().split('\n');
  assert.equal(lines.filter((line) => line.startsWith('ringkeeper: ')).length, 1, stderr);
  assert.ok(!lines.some((line) => /^\s+at /.test(line)), stderr);
}

/** None of a znode that is not there. */
function childrenOf(server: TestServer, path: string): Promise<readonly string[]> {
  return withSession({ host: server.host, port: server.port }, 5_000, async (session) => {
    const { names } = await session.ask((zk) => zk.children(path)).catch(() => ({ names: [] }));
    return names;
  });
}

/** Packets, since it started. */
async function receivedBy(server: TestServer): Promise<number> {
  const [, received] = /^Received: (\d+)$/m.exec(await fourLetterWord(server.port, 'srvr')) ?? [];
  return Number(received);
}

/** Only `admin:secret` may do anything at the root. */
async function closeRoot(server: TestServer): Promise<void> {
  const admin = [{ scheme: 'digest', auth: 'admin:secret' }];
  const address = { host: server.host, port: server.port, auth: admin };
  const acl = [{ perms: PERMS_ALL, scheme: 'auth', id: '' }];
  await withSession(address, 5_000, (session) => session.ask((zk) => zk.setAcl('/', acl)));
}

for (const [kind, make, skip] of KINDS) {
  describe(`refused by ${kind}`, { skip }, () => {
    const server = make({ config: { maxClientCnxns: '20', 'jute.maxbuffer': '10000' } });
    before(() => server.start());
    after(() => server.dispose());

    it('more connections than it takes', async () => {
      const ended = await run(server, plan('limit'), '--connections', '16');
      assertLine(ended, 2, /takes 20 connections per address \(maxClientCnxns\).*--connections 15$/m);
    });

    it('a request larger than its jute.maxbuffer', async () => {
      const said = await refused(server, plan('large'), '--set', 'tree.values=20KB');
      assert.match(
        said,
        /at a request of 20KB.* \(tree\.values\).*jute\.maxbuffer.* --set tree\.values=\.\.\.$/m,
      );
      assert.deepEqual(await childrenOf(server, '/'), ['zookeeper'], 'nothing stays behind');
    });

    it('a multi that is larger than it together', async () => {
      const phases =
        'phases: {all: {mix: {multi: {of: set, ops: 300, weight: 1}}, warmup: 0, measure: 100ms}}';
      const file = join(tempDir, 'multis.yaml');
      writeFileSync(file, `connections: 2\ntree: {root: /load/here, znodes: 400, values: 50B}\n${phases}\n`);
      assert.match(
        await refused(server, file),
        /request of 15KB.* --set phases\.all\.mix\.multi\.ops=\.\.\.$/m,
      );
    });

    it('parents of the root that the run made are gone with it', async () => {
      const ended = await run(server, plan('nested'));
      assertMeasured(ended.status, ended.stderr);
      assert.deepEqual(await childrenOf(server, '/'), ['zookeeper']);
      assert.match(
        ended.stderr,
        /^the service before the run: version \S+, standalone, \d+ znodes, \d connections? of others$/m,
      );
      assert.doesNotMatch(ended.stderr, /after the run/);
    });

    it('a root that is closed: without credentials a line, with them a run whose result holds no secret', async () => {
      await closeRoot(server);
      assert.match(
        await refused(server, plan('closed')),
        /refuses to create \/load: NOAUTH - .*--set tree\.root=.*--auth digest:/,
      );
      const out = outDir();
      const admin = ['--auth', 'digest:admin:secret', '--out', out];
      const allowed = await bench(
        'run',
        plan('closed'),
        '--no-ceiling',
        '--target',
        server.address,
        ...admin,
      );
      assertMeasured(allowed.status, allowed.stderr);
      const saved = readFileSync(join(onlyResult(out), 'run.json'), 'utf8');
      assert.match(saved, /--auth digest:admin:PASSWORD/);
      assert.ok(!saved.includes('secret'));
      const unknown = await refused(server, plan('closed'), '--auth', 'nosuch:admin:secret');
      assert.match(unknown, /refuses the credentials of --auth: AUTHFAILED/);
    });
  });

  describe(`${kind} ends`, { skip }, () => {
    const server = make({ config: {} });
    before(() => server.start());
    after(() => server.dispose());

    it('in a phase: its rest is measured, no later one, what stays is named, the exit status is 1', async () => {
      const flags = ['--no-ceiling', '--target', server.address, '--out', outDir(), '--json'];
      const reads = '{mix: {get: 1}, warmup: 0, measure: 2s}';
      const file = join(tempDir, `ends-${kind}.yaml`);
      const tree = 'connections: 2\ntree: {root: /load/here, znodes: 20, values: 50B}';
      writeFileSync(file, `${tree}\nphases: {reads: ${reads}, more: ${reads}, last: ${reads}}\n`);
      const started = startBench('run', file, ...flags);
      // More than set-up and probes come to: the phase has begun, and lasts for two seconds.
      const busy = until(async () => (await receivedBy(server)) > 2000);
      const early = started.finished.then(({ stderr }) => assert.fail(`it ended by itself: ${stderr}`));
      await Promise.race([busy, early]);
      early.catch(() => {});
      await server.kill();
      const { status, stderr, stdout } = await started.finished;
      assert.equal(status, 1, stderr);
      assert.match(stderr, /left behind on the service: \/load, \/load\/here .*deleteall \/load$/m);
      const result = parseRun(stdout)!;
      assert.match(result.target.failure ?? '', /ECONNREFUSED/);
      assert.equal(result.complete, false);
      assert.deepEqual(
        result.phases.map((phase) => phase.plan.name),
        ['reads'],
      );
      const told = runVerdict(result).lines.filter((line) => line.includes('ECONNREFUSED'));
      assert.equal(told.length, 1, told.join('\n'));
    });
  });
}
