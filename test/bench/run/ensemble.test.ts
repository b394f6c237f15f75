/** A run against three servers of both kinds that the engine starts, end to end: sums, parts, roles, and the pages that show them. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { serverTable } from '../../../bench/figures/server-table.ts';
import { renderRunReport } from '../../../bench/report/html/run-report.ts';
import { renderRunSummary } from '../../../bench/report/summary-run.ts';
import type { PhaseResult, RunResult } from '../../../bench/result/run-json.ts';
import { renderRun } from '../../../bench/terminal/terminal-run.ts';
import { need } from '../../support/skip.ts';
import { planOf, runTiny, tempDir } from './support.ts';

describe('two servers of ringkeeper and one of Apache', { skip: need('zookeeper', 'java') }, () => {
  let run: RunResult;
  let phase: PhaseResult;
  before(async () => {
    const mixed = { mixed: { mix: { get: 3, set: 1 }, warmup: '100ms', measure: '1s' } };
    const outcome = await runTiny(planOf(mixed, { connections: 6, check: true }), 'mixed:2+1');
    run = outcome!.run;
    phase = run.phases[0]!;
  });

  it('answer without an error, their history is in order, and nothing is left of them', () => {
    assert.deepEqual(phase.errors, {});
    assert.deepEqual([phase.lost, phase.unanswered, phase.disorder], [0, 0, 0]);
    assert.ok(phase.check!.passed, JSON.stringify(phase.check));
    assert.ok(run.complete && run.target.failure === null);
    assert.equal(run.target.name, 'mixed-2+1');
    assert.match(run.target.description, /^2 x ringkeeper \S+ and 1 x zookeeper-\S+ /);
    assert.deepEqual(readdirSync(tempDir), []);
  });

  it('have the load between them, each its share', () => {
    const servers = phase.servers!;
    assert.deepEqual(
      servers.map(({ connections }) => connections),
      [2, 2, 2],
    );
    assert.ok(servers.every((server) => server.answeredPerSecond !== null));
    assert.ok(servers.some((server) => server.answeredPerSecond! > 0));
  });

  it('are watched one by one: at most one leads, the others follow; CPU of all is the sum', () => {
    const servers = phase.servers!;
    // One that is slow to answer has no role for that second.
    const told = servers.map(({ roles }) => roles.find(({ role }) => role !== null)?.role);
    const known = told.filter((role) => role !== undefined);
    assert.ok(known.length > 0 && known.every((role) => role === 'leader' || role === 'follower'), `${told}`);
    assert.ok(known.filter((role) => role === 'leader').length <= 1, `${told}`);
    const cores = servers.reduce((sum, { cpuCores }) => sum + cpuCores!, 0);
    assert.ok(Math.abs(cores - phase.server!.cpuCores) <= 0.05 * cores + 0.01, `${cores}`);
    assert.ok(phase.metrics!.gcPauseTotalMs !== null, 'from mntr, and from the log of Java');
    const classes = Object.keys(phase.availability.classes);
    assert.deepEqual(
      classes.filter((name) => name.startsWith('read ')),
      servers.map(({ name }) => `read ${name}`),
    );
  });

  it('stand in every form of the result', () => {
    assert.equal(serverTable(run.phases).rows.length, 3);
    for (const text of [renderRunReport(run), renderRunSummary(run), renderRun(run)]) {
      assert.match(text, /server 3 \(apache\)/);
    }
    assert.match(renderRunReport(run), /Roles of the servers/);
  });
});
