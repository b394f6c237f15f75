/** CPU per request by role. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roleMicros, roleTable } from '../../../bench/figures/role-costs.ts';
import type { RoleSpan, ServerPart } from '../../../bench/result/run-json.ts';
import { sampleServicesSweep, sampleSweep } from '../report/support/sample-sweep.ts';

function part(cpuCores: number, ...roles: (string | null)[]): ServerPart {
  const spans = roles.map((role, at): RoleSpan => ({ fromMs: 1000 * at, role }));
  const unknown = { rssBytes: null, packetsReceived: null, fsyncMeanMs: null, connections: 1 };
  return { name: 'server', address: 'host:1', roles: spans, cpuCores, answeredPerSecond: 1, ...unknown };
}

const sweep = sampleServicesSweep();
const servers = [part(0.5, 'follower'), part(1, 'leader'), part(0.3, 'follower', null, 'follower')];

test('a role costs the mean of the servers that had it all the time', () => {
  const phase = { ...sweep.points[0]!.runs[0]!.phases[0]!, throughputPerSecond: 100_000, servers };
  assert.deepEqual([roleMicros(phase, 'leader'), roleMicros(phase, 'follower')], [10, 4]);
  assert.equal(roleMicros(phase, 'observer'), null);
  const changed = { ...phase, servers: [part(0.5, 'follower', 'leader'), part(1, 'leader', 'follower')] };
  assert.equal(roleMicros(changed, 'leader'), null, 'who led only for a while says nothing of leaders');
  assert.equal(roleMicros({ ...phase, throughputPerSecond: 0 }, 'leader'), null);
});

test('a row for each point of several servers', () => {
  const points = sweep.points.slice(0, 2).map(({ at, runs }, index) => ({
    at,
    runs: runs.map(({ dir, phases }) => ({
      dir,
      phases:
        index === 0 ? phases : phases.map((phase) => ({ ...phase, throughputPerSecond: 50_000, servers })),
    })),
  }));
  const { head, rows } = roleTable({ ...sweep, points });
  assert.deepEqual(head.slice(0, 4), ['servers', 'service', 'phase', 'leader, us/op']);
  assert.deepEqual(
    rows.map((row) => row.slice(0, 6)),
    [
      ['1', 'apache', 'writes', '20.0', '8.00', '-'],
      ['1', 'apache', 'reads', '20.0', '8.00', '-'],
    ],
  );
  assert.deepEqual(roleTable(sampleSweep()).rows, []);
});
