/** Roles as spans of a phase, and the usage of a service whose servers come and go. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { ServerProcesses } from '../../../bench/measure/server-processes.ts';
import { roleIn, ServerRoles } from '../../../bench/measure/server-roles.ts';
import type { TargetServer } from '../../../bench/target/target.ts';

test('the role is found in both words, and nothing is made up where a server serves nobody', () => {
  assert.equal(roleIn('zk_version\t3.8.0\nzk_server_state\tfollower\nzk_ephemerals_count\t0\n'), 'follower');
  assert.equal(roleIn('Zookeeper version: 3.8.0\nMode: observer\nNode count: 5\n'), 'observer');
  assert.equal(roleIn('Mode: read-only\n'), 'read-only');
  assert.equal(roleIn('This ZooKeeper instance is not currently serving requests\n'), null);
});

test('spans begin with the phase, with what was known before it, and end with it', () => {
  const roles = new ServerRoles();
  for (const [atMs, role] of [
    [100, 'follower'],
    [1_000, 'follower'],
    [2_000, null],
    [3_000, null],
    [4_500, 'leader'],
    [9_000, 'follower'],
  ] as const) {
    roles.note(atMs, role);
  }
  assert.deepEqual(roles.spans(1_500, 5_000), [
    { fromMs: 0, role: 'follower' },
    { fromMs: 500, role: null },
    { fromMs: 3_000, role: 'leader' },
  ]);
  assert.deepEqual(roles.spans(4_500, 5_000), [{ fromMs: 0, role: 'leader' }]);
  assert.deepEqual(new ServerRoles().spans(0, 1), []);
  assert.deepEqual(roles.spans(0, 200), [{ fromMs: 100, role: 'follower' }], 'not asked before');
});

const LINUX = { skip: process.platform !== 'linux' };

test('what a server has used stays counted when it ends and is started again', LINUX, async () => {
  const child = (): ReturnType<typeof spawn> => spawn('sleep', ['600'], { stdio: 'ignore' });
  let running = child();
  let pid: number | null = running.pid!;
  const address = { host: '127.0.0.1', port: 1 };
  const servers: TargetServer[] = [
    { name: 'own', address, pid: process.pid, gcLogFile: null },
    {
      name: 'other',
      address,
      get pid() {
        return pid;
      },
      gcLogFile: null,
    },
  ];
  const processes = new ServerProcesses(servers);
  const first = processes.read();
  assert.ok(first.each.every((usage) => usage !== null));
  assert.equal(first.all!.rssBytes, first.each[0]!.rssBytes + first.each[1]!.rssBytes);
  running.kill('SIGKILL');
  await once(running, 'exit');
  pid = null;
  const without = processes.read();
  assert.equal(without.each[1], null);
  assert.ok(without.all!.cpuMicros >= first.all!.cpuMicros, 'the sum never falls');
  running = child();
  pid = running.pid!;
  const again = processes.read();
  assert.ok(again.each[1] !== null && again.each[1]!.cpuMicros >= first.each[1]!.cpuMicros);
  assert.ok(again.all!.cpuMicros >= without.all!.cpuMicros);
  assert.ok(again.all!.switches! >= without.all!.switches!);
  running.kill('SIGKILL');
  await once(running, 'exit');
});

test('a service without processes of ours has no usage', () => {
  const address = { host: '127.0.0.1', port: 1 };
  const { all, each } = new ServerProcesses([{ name: 'x', address, pid: null, gcLogFile: null }]).read();
  assert.deepEqual([all, each], [null, [null]]);
});
