/**
 * A server that stood still for longer than a session timeout (SIGSTOP here; a stopped virtual machine is the same)
 * hears what its clients have said meanwhile before it looks at the time: one of them or thousands.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { CreateFlags, OpCode } from '../../src/wire/opcodes.ts';
import { frame, parseConnectAnswer, RawClient, RawConnection } from '../support/raw-client.ts';
import { connectRequest, create, OPEN_ACL, pathAndBool } from '../support/request-bodies.ts';
import { until } from '../support/until.ts';
import { ServerProcess } from './support/server-process.ts';

/** Long enough for this process to stand still for a while before the pause, as on a busy machine. */
const TIMEOUT_MS = 4000;
const PAUSE_MS = 6000;
const FIELDS = { timeoutMs: TIMEOUT_MS, readOnly: false };

const MODES = [
  ['--threading', 'shared'],
  ['--threading', 'pipeline'],
  ['--threading', 'dedicated', '--io-threads', '2'],
] as const;

/** A crowd's timeout is long enough for all of it to be pinged on a busy machine. */
const CROWD = { count: 2000, timeoutMs: 8000, pauseMs: 10_000 } as const;
/** How many are opened at once: a listen queue has a bound. */
const OPENED_AT_ONCE = 100;

async function withEphemeral(port: number, name: string): Promise<RawClient> {
  const client = await RawClient.open(port, FIELDS);
  const node = { path: name, data: new Uint8Array(1), acls: OPEN_ACL, flags: CreateFlags.ephemeral };
  assert.equal((await client.request(OpCode.create, create(node))).err, 0);
  return client;
}

/**
 * The core comes first when the server goes on, and reads the clock before any byte: one processor for all threads, and
 * those with sockets have it only while no other wants it. Without that the io threads of mode `dedicated` mostly win, and
 * the test would pass however early sessions end. In the other modes the order of the threads proves nothing more. Returns
 * why it cannot be done here, or null.
 */
function coreFirst(pid: number, mode: string): string | null {
  if (mode !== 'dedicated') return null;
  if (process.platform !== 'linux') return 'which thread runs first is set on Linux only';
  const allowed = /^Cpus_allowed_list:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      execFileSync('taskset', ['-p', '-c', allowed, thread], { stdio: 'pipe' });
      const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8');
      if (/^io-\d|^node-MainThread/.test(name)) {
        execFileSync('chrt', ['--idle', '-p', '0', thread], { stdio: 'pipe' });
      }
    }
  } catch (error) {
    return `taskset and chrt (util-linux) are missing or not permitted: ${(error as Error).message.trim()}`;
  }
  return null;
}

/** Some time later: threads that may run only while nobody else does would answer no crowd beside other tests. */
async function allAlike(pid: number, mode: string): Promise<void> {
  if (mode !== 'dedicated') return;
  // Nothing tells that the core has read its clock.
  await pass(300);
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    execFileSync('chrt', ['--other', '-p', '0', thread], { stdio: 'pipe' });
  }
}

for (const mode of MODES) {
  test(`${mode[1]}: sessions that spoke during the pause live on, the others end`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
    const server = new ServerProcess(join(directory, 'data'), [...mode, '--set', 'tickTime=500']);
    t.after(async () => {
      server.kill('SIGCONT');
      await server.stop('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    });
    const port = await server.ready();
    const talking = await withEphemeral(port, '/talking');
    const moving = await withEphemeral(port, '/moving');
    await withEphemeral(port, '/silent');

    server.kill('SIGSTOP');
    const whyNot = coreFirst(server.pid, mode[1]);
    if (whyNot !== null) {
      t.skip(whyNot);
      return;
    }
    talking.send(OpCode.ping);
    // The client has given its connection up and comes again; the kernel takes that for the server.
    moving.destroy();
    const again = await RawConnection.open(port);
    const { sessionId, password } = moving.session;
    again.write(frame(connectRequest({ ...FIELDS, sessionId, password })));
    await pass(PAUSE_MS);
    server.kill('SIGCONT');
    await allAlike(server.pid, mode[1]);

    const answer = parseConnectAnswer((await again.nextFrame())!);
    assert.equal(answer.sessionId, sessionId, 'the session that came again');
    assert.ok((await talking.reply()).err === 0);
    // Its own connection, so that asking keeps nobody else alive; the pings keep these two.
    const observer = await RawClient.open(port, { timeoutMs: 10_000, readOnly: false });
    const exists = async (name: string): Promise<boolean> =>
      (await observer.request(OpCode.exists, pathAndBool(name, false))).err === 0;
    await until(async () => {
      assert.equal((await talking.request(OpCode.ping)).err, 0);
      return !(await exists('/silent'));
    });
    assert.equal(await exists('/talking'), true);
  });
}

async function crowdOf(count: number, timeoutMs: number, port: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  const fields = { timeoutMs, readOnly: false };
  while (clients.length < count) {
    const opening = Array.from({ length: Math.min(OPENED_AT_ONCE, count - clients.length) }, () =>
      RawClient.open(port, fields),
    );
    clients.push(...(await Promise.all(opening)));
    // The first must not end while the last are opened.
    await pingAll(clients.slice(0, -opening.length));
  }
  return clients;
}

async function pingAll(clients: readonly RawClient[]): Promise<void> {
  for (const client of clients) client.send(OpCode.ping);
  await answersOfAll(clients);
}

async function answersOfAll(clients: readonly RawClient[]): Promise<void> {
  const replies = await Promise.all(clients.map((client) => client.reply()));
  for (const { err } of replies) assert.equal(err, 0);
}

for (const mode of MODES) {
  const { count, timeoutMs, pauseMs } = CROWD;
  test(`${mode[1]}: all of ${count} sessions whose pings waited survive`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
    const settings = ['--set', 'tickTime=400', '--set', 'maxClientCnxns=0'];
    const server = new ServerProcess(join(directory, 'data'), [...mode, ...settings]);
    const clients: RawClient[] = [];
    t.after(async () => {
      for (const client of clients) client.destroy();
      server.kill('SIGCONT');
      await server.stop('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    });
    clients.push(...(await crowdOf(count, timeoutMs, await server.ready())));
    await pingAll(clients);
    server.kill('SIGSTOP');
    const whyNot = coreFirst(server.pid, mode[1]);
    if (whyNot !== null) {
      t.skip(whyNot);
      return;
    }
    for (const client of clients) client.send(OpCode.ping);
    await pass(pauseMs);
    server.kill('SIGCONT');
    await allAlike(server.pid, mode[1]);
    await answersOfAll(clients);
    // Whose session had been taken for silent would find its connection closed.
    await pingAll(clients);
    assert.doesNotMatch(server.stderr, /expired/);
  });
}
