/** `ringkeeper ensemble` as a user has it: a ready line, prefixed logs, Ctrl-C, a server that dies, data taken up again. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type EnsembleFlags, wishOf } from '../../src/bin/commands/ensemble-wish.ts';
import { connect } from '../../src/client/index.ts';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { LAUNCHER } from '../support/program.ts';
import { need } from '../support/skip.ts';
import { until } from '../support/until.ts';

let directory: string;
const running: Ensemble[] = [];

/** The command with its two streams as text. */
class Ensemble {
  readonly child: ChildProcess;
  readonly exit: Promise<unknown[]>;
  out = '';
  err = '';

  constructor(...args: string[]) {
    const env = { ...process.env, TMPDIR: join(directory, 'tmp') };
    this.child = spawn(process.execPath, [LAUNCHER, 'ensemble', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    this.exit = once(this.child, 'close');
    this.child.stdout!.on('data', (chunk) => (this.out += chunk));
    this.child.stderr!.on('data', (chunk) => (this.err += chunk));
    running.push(this);
  }

  /** The connect string of the ready line. */
  async ready(): Promise<string> {
    await until(async () => this.out.includes('\n') || this.child.exitCode !== null);
    const match = /^ready (\S+)\n$/.exec(this.out);
    assert.ok(match, this.out + this.err);
    return match[1]!;
  }

  pid(sid: number): number {
    return Number(new RegExp(`server ${sid} \\(.*pid (\\d+)`).exec(this.err)![1]);
  }

  /** By their ids. */
  roles(): string[] {
    return [...this.err.matchAll(/^ensemble: server \d \(.*?\): ([\w ]+), pid/gm)].map(([, role]) => role!);
  }

  async says(pattern: RegExp): Promise<void> {
    await until(async () => pattern.test(this.err) || this.child.exitCode !== null);
    assert.match(this.err, pattern);
  }
}

/** By that server alone; returns what is there then. */
async function createAt(address: string, path: string): Promise<readonly string[]> {
  await using client = await connect(address, { sessionTimeoutMs: 10_000 });
  await client.create(path, null);
  return (await client.children('/')).names;
}

async function modeOf(address: string): Promise<string | null> {
  const answer = await fourLetterWord(Number(address.split(':')[1]), 'srvr', 5000).catch(() => '');
  return /^Mode: (\w+)$/m.exec(answer)?.[1] ?? null;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('ringkeeper ensemble', () => {
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
    mkdirSync(join(directory, 'tmp'));
  });
  after(async () => {
    for (const { child } of running) child.kill('SIGTERM');
    await Promise.all(running.map(({ exit }) => exit));
    rmSync(directory, { recursive: true });
  });

  it('takes up its data where an earlier run left them; ends with 0 on a signal, with 1 when no server is left', async () => {
    const data = join(directory, 'kept');
    const first = new Ensemble('--size', '1', '--data-dir', data, '--set', 'tickTime=500');
    const address = await first.ready();
    const client = await connect(address);
    await client.create('/kept', 'yes');
    await client.close();
    assert.match(first.err, /^1 \| .*INFO.*: /m, 'a log line for people, behind the number of its server');
    first.child.kill('SIGINT');
    assert.deepEqual(await first.exit, [0, null]);
    assert.match(first.err, /^ensemble: SIGINT: stopping 1 server/m);

    const second = new Ensemble('--size', '1', '--data-dir', data);
    assert.equal(await second.ready(), address);
    const reader = await connect(address);
    assert.equal(new TextDecoder().decode((await reader.getData('/kept')).data!), 'yes');
    await reader.close();
    // Whoever dies is named, and this was the last one.
    process.kill(second.pid(1), 'SIGKILL');
    assert.deepEqual(await second.exit, [1, null]);
    assert.match(second.err, /^ensemble: server 1 \(ringkeeper\) ended \(SIGKILL\)$/m);
  });

  it('ends with one line when a server does not come up, and stops the others', async () => {
    const wrong = new Ensemble('--size', '1', '--set', 'snapCount=many');
    assert.deepEqual(await wrong.exit, [2, null]);
    assert.match(wrong.err, /^ringkeeper: server 1 \(ringkeeper\) ended \(2\): ringkeeper: .*snapCount/m);
    assert.equal(wrong.out, '');
    assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
  });

  const usual: EnsembleFlags = { size: 3, observers: 0, kind: 'ringkeeper', set: [] };
  for (const { flags, says } of [
    { flags: { size: 0 }, says: /^--size 0: allowed: 1 to 25$/ },
    { flags: { size: Number.NaN }, says: /^--size NaN: allowed: 1 to 25$/ },
    { flags: { observers: 40 }, says: /^--observers 40: allowed: 0 to 22$/ },
    { flags: { observers: 0.5 }, says: /^--observers 0.5: allowed: 0 to 22$/ },
    { flags: { clientPort: 65_536 }, says: /^--client-port 65536: allowed: 1 to 65535$/ },
    { flags: { kind: 'zookeeper' }, says: /^--kind zookeeper: allowed: ringkeeper, apache, mixed$/ },
    { flags: { dataDir: '' }, says: /^--data-dir: the name of a directory is missing$/ },
    { flags: { set: ['clientPort=1'] }, says: /^--set clientPort=1: clientPort is what this command sets/ },
    { flags: { set: ['server.4=a:1:2'] }, says: /^--set server.4=a:1:2: server.4 is what this command sets/ },
    { flags: { set: ['tickTime'] }, says: /^--set tickTime: allowed: key=value$/ },
    { flags: { logLevel: 'loud' }, says: /^--log-level loud: allowed: trace, / },
  ]) {
    it(`refuses ${JSON.stringify(flags)}`, () => {
      assert.throws(() => wishOf({ ...usual, ...flags }), { name: 'ConfigFailure', message: says });
    });
  }

  it('refuses in one line, with status 2; what is given twice counts the last time', async () => {
    const refused = new Ensemble('--size', '3', '--size', '99');
    assert.deepEqual(await refused.exit, [2, null]);
    assert.equal(refused.err, 'ringkeeper: --size 99: allowed: 1 to 25\n');
  });

  it('serves by each server, and by the others when the leader is killed', async () => {
    const ensemble = new Ensemble('--observers', '1', '--set', 'tickTime=500');
    const addresses = (await ensemble.ready()).split(',');
    const roles = ensemble.roles();
    assert.deepEqual(roles.toSorted(), ['follower', 'follower', 'leader', 'observer']);
    await Promise.all(addresses.map((address, at) => createAt(address, `/by-${at}`)));
    const leader = roles.indexOf('leader') + 1;
    process.kill(ensemble.pid(leader), 'SIGKILL');
    await ensemble.says(new RegExp(`^ensemble: server ${leader} \\(ringkeeper\\) ended \\(SIGKILL\\)$`, 'm'));
    const others = addresses.filter((_, at) => at !== leader - 1);
    await until(async () => {
      const modes = await Promise.all(others.map(modeOf));
      return modes.includes('leader') && modes.every((mode) => mode !== null);
    });
    for (const [at, address] of others.entries()) {
      const names = await createAt(address, `/after-${at}`);
      for (let by = 0; by < addresses.length; by++)
        assert.ok(names.includes(`by-${by}`), `by-${by} at ${at}`);
    }
    ensemble.child.kill('SIGINT');
    assert.deepEqual(await ensemble.exit, [0, null]);
  });

  it('waits for nobody who is to serve no clients', async () => {
    const ensemble = new Ensemble('--size', '2', '--set', 'leaderServes=no');
    const addresses = (await ensemble.ready()).split(',');
    const roles = ensemble.roles();
    assert.deepEqual(roles.toSorted(), ['follower', 'serves no clients']);
    assert.match(ensemble.err, /^ensemble: server \d \(ringkeeper\): serves no clients, pid/m);
    await createAt(addresses[roles.indexOf('follower')]!, '/by-the-follower');
    const leader = Number(addresses[roles.indexOf('serves no clients')]!.split(':')[1]);
    assert.match(
      await fourLetterWord(leader, 'srvr', 60_000),
      /^This ZooKeeper instance is not currently serving/,
    );
    ensemble.child.kill('SIGTERM');
    assert.deepEqual(await ensemble.exit, [0, null]);
  });

  const noApache = need('java', 'zookeeper');
  it('mixes both kinds; a majority that is lost is told, and all others are stopped', {
    skip: noApache,
  }, async () => {
    const mixed = new Ensemble('--kind', 'mixed', '--size', '2', '--observers', '1');
    const addresses = (await mixed.ready()).split(',');
    assert.match(mixed.err, /^ensemble: server 2 \(apache\): \w+, pid/m);
    const pids = [1, 2, 3].map((sid) => mixed.pid(sid));
    assert.deepEqual(mixed.roles().toSorted(), ['follower', 'leader', 'observer']);
    await createAt(addresses[0]!, '/mixed');
    const reader = await connect(addresses[1]!);
    await reader.sync('/');
    assert.notEqual(await reader.exists('/mixed'), null);
    await reader.close();
    process.kill(pids[0]!, 'SIGKILL');
    await mixed.says(/^ensemble: 1 of 2 voters are left: no majority, so nobody is served$/m);
    assert.ok(!/^\d \|\s+at /m.test(mixed.err), 'no stack traces');
    mixed.child.kill('SIGTERM');
    assert.deepEqual(await mixed.exit, [0, null]);
    assert.deepEqual(pids.filter(isAlive), []);
    assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
  });
});
