/** Which resource a phase was limited by, one case per rule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreEachPerSecond, limitOf } from '../../../bench/figures/limit.ts';
import type { PhaseResult, ServerPart } from '../../../bench/result/run-json.ts';
import { openPhase, PLAN, sampleRun } from '../compare/support/sample-run.ts';

const BASE = sampleRun('embedded', PLAN, { throughput: 10_000 }).phases[0]!;
const SERVER = { cpuMicrosPerOp: 10, contextSwitchesPerOp: null, rssBytes: 0, rssPeakBytes: 0 };

interface Used {
  readonly servers: number;
  readonly load: number;
  readonly others?: number;
  readonly syncMs?: number;
}

function phase(
  { servers, load, others = 0, syncMs = 0 }: Used,
  changes: Partial<PhaseResult> = {},
): PhaseResult {
  const measuredMs = 10_000;
  return {
    ...BASE,
    measuredMs,
    server: { ...SERVER, cpuCores: servers },
    generator: { ...BASE.generator, busy: load, cpuMicrosPerOp: (load * 1e6) / BASE.throughputPerSecond },
    othersCores: others,
    metrics: {
      packetsReceived: null,
      fsyncMeanMs: null,
      fsyncMaxMs: null,
      gcPauseMaxMs: null,
      gcPauseTotalMs: null,
      values: { sum_fsynctime: syncMs },
    },
    ...changes,
  };
}

function part(cpuCores: number): ServerPart {
  const unknown = {
    rssBytes: null,
    packetsReceived: null,
    fsyncMeanMs: null,
    connections: 1,
    answeredPerSecond: 1,
  };
  return { name: 'server', address: 'host:1', roles: [], cpuCores, ...unknown };
}

const text = (result: PhaseResult): string | null => limitOf(result, 2)?.text ?? null;

test('a machine whose cores are used up: who used most of them comes first', () => {
  assert.equal(text(phase({ servers: 1.2, load: 0.7 })), 'CPU: servers 1.2, load 0.7 of 2');
  assert.equal(
    text(phase({ servers: 0.6, load: 0.9, others: 0.3 })),
    'CPU: load 0.9, servers 0.6, others 0.3 of 2',
  );
  assert.equal(limitOf(phase({ servers: 0.4, load: 0.1, others: 1.4 }), 2)?.kind, 'others CPU');
});

test('with cores to spare: the generator, the disk, one core, or nothing', () => {
  assert.equal(text(phase({ servers: 0.4, load: 0.95 })), 'load generator 95 % busy');
  assert.equal(text(phase({ servers: 0.4, load: 0.2, syncMs: 8_500 })), 'disk sync 85 % of the time');
  assert.equal(text(phase({ servers: 1.02, load: 0.2 })), "a server's core: 1.0");
  assert.equal(text(phase({ servers: 0.4, load: 0.2 })), 'none full: CPU 0.6 of 2');
});

test('of several servers the syncs are a mean, and the busiest server counts', () => {
  const servers = [part(0.5), part(0.25), part(0.25)];
  const three = phase({ servers: 1, load: 0.2, syncMs: 24_000 }, { servers });
  assert.equal(text(three), 'disk sync 80 % of the time');
  assert.equal(coreEachPerSecond(three), 20_000);
  assert.equal(coreEachPerSecond(phase({ servers: 0.5, load: 0.2 })), 20_000);
});

test('an offered rate that was met is the limit; one that was not is none', () => {
  const open = { plan: openPhase('paced', 10_000) };
  assert.equal(text(phase({ servers: 1.9, load: 0.1 }, open)), 'the offered rate');
  const findings = [{ rule: 'rateMet', kind: 'void' as const, text: 'made up' }];
  assert.match(text(phase({ servers: 1.9, load: 0.1 }, { ...open, findings }))!, /^CPU: servers 1\.9/);
});

test('of a service that runs elsewhere only the generator is known', () => {
  assert.equal(limitOf(phase({ servers: 1, load: 0.5 }, { server: null }), 2), null);
  assert.equal(limitOf(phase({ servers: 1, load: 0.99 }, { server: null }), 2)?.kind, 'generator');
  assert.equal(coreEachPerSecond(phase({ servers: 1, load: 0.5 }, { server: null })), null);
});
