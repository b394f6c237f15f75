/** Sweeps as the engine would save them: connections with a knee and replicates; two parameters; a search. */
import {
  SWEEP_SCHEMA,
  SWEEP_SCHEMA_VERSION,
  type Sweep,
  type SweepPoint,
} from '../../../../bench/result/compare-json.ts';
import type { PhaseResult } from '../../../../bench/result/run-json.ts';
import { SAMPLE_ENVIRONMENT, SAMPLE_PLAN, sampleRun } from './sample-run.ts';

const CONNECTIONS = [1, 2, 5, 10, 20, 50, 100, 200];
const REPLICATES = 3;

export function sampleSweep(changes: Partial<Sweep> = {}): Sweep {
  const base = sampleRun({ outage: null, seed: 40 });
  const read = base.phases[1]!;
  const points = CONNECTIONS.map(
    (connections): SweepPoint => ({
      at: [connections],
      runs: Array.from({ length: REPLICATES }, (_, replicate) => ({
        dir: `runs/${connections}-${replicate + 1}`,
        phases: [scaled(read, connections, replicate, connections < 200 || replicate < 2)],
      })),
    }),
  );
  return {
    schema: SWEEP_SCHEMA,
    schemaVersion: SWEEP_SCHEMA_VERSION,
    startedAt: '2026-11-20T09:00:00.000Z',
    command: 'ringkeeper bench run sample-mix --sweep connections=1,2,5,10,20,50,100,200',
    complete: true,
    target: base.target,
    plan: { ...SAMPLE_PLAN, references: sampleReferences() },
    environment: SAMPLE_ENVIRONMENT,
    axes: [{ path: 'connections', values: CONNECTIONS }],
    points,
    search: null,
    knee: [{ phase: 'read', at: 50, throughputPerSecond: 1_700_000 }],
    ...changes,
  };
}

/** Value sizes across, connections down; no replicates. */
export function sampleHeatSweep(): Sweep {
  const read = sampleRun({ outage: null, seed: 41 }).phases[1]!;
  const bytes = [100, 1024, 10_240];
  const connections = [1, 10, 100];
  return sampleSweep({
    axes: [
      { path: 'phases.0.values', values: bytes },
      { path: 'connections', values: connections },
    ],
    points: connections.flatMap((count) =>
      bytes.map((size) => ({
        at: [size, count],
        runs: [{ dir: `runs/${size}-${count}`, phases: [scaled(read, count / (1 + size / 4000), 0, true)] }],
      })),
    ),
    knee: [],
    plan: SAMPLE_PLAN,
    search: {
      phase: 'mixed',
      p99MsMax: 5,
      ratePerSecond: 41_500,
      low: 39_800,
      high: 43_100,
      edge: 'cliff',
      probes: [
        { ratePerSecond: 10_000, p99Ms: 1.2, valid: true },
        { ratePerSecond: 20_000, p99Ms: 1.4, valid: true },
        { ratePerSecond: 40_000, p99Ms: 3.1, valid: true },
        { ratePerSecond: 40_000, p99Ms: 3.6, valid: true },
        { ratePerSecond: 45_000, p99Ms: 88, valid: true },
        { ratePerSecond: 45_000, p99Ms: 140, valid: true },
        { ratePerSecond: 80_000, p99Ms: 2_400, valid: false },
      ],
    },
  });
}

/** Throughput that saturates with the connections; latency by Little's law. */
function scaled(phase: PhaseResult, connections: number, replicate: number, valid: boolean): PhaseResult {
  const noise = 1 + (replicate - 1) * 0.04;
  const throughputPerSecond = (1_800_000 * connections * noise) / (connections + 12);
  const p50Ms = ((connections * 100) / throughputPerSecond) * 1000;
  const latency = { ...phase.latency!, p50Ms, p99Ms: p50Ms * 1.8 * noise };
  const cores = 1.02 * Math.min(1, 0.3 + connections / 60);
  const server = { ...phase.server!, cpuCores: cores, cpuMicrosPerOp: (cores / throughputPerSecond) * 1e6 };
  const findings = valid ? [] : [{ rule: 'lag', kind: 'void' as const, text: 'made up' }];
  return { ...phase, valid, findings, throughputPerSecond, latency, server };
}

function sampleReferences() {
  const figures = [
    [10, 240_000],
    [50, 610_000],
    [200, 720_000],
  ] as const;
  return figures.map(([at, value]) => ({
    label: 'Example service',
    source: 'Example report, 2026',
    phase: 'read',
    metric: 'throughput' as const,
    value,
    at,
  }));
}

/** One to seven servers of two kinds, reads and writes, beside figures published for each size. */
export function sampleServicesSweep(): Sweep {
  const base = sampleRun({ outage: null, seed: 42 });
  const [write, read] = base.phases;
  const services = { embedded: 1, apache: 0.25 } as const;
  const points = [1, 3, 5, 7].flatMap((servers) =>
    Object.entries(services).map(([service, speed]): SweepPoint => {
      const phases = [
        { ...scaled(write!, 3 / servers, 1, true), plan: { ...write!.plan, name: 'writes' } },
        { ...scaled(read!, 20 * speed, 1, true), plan: { ...read!.plan, name: 'reads' } },
      ].map((phase) => ({ ...phase, throughputPerSecond: phase.throughputPerSecond * speed }));
      return { at: [servers, service], runs: [{ dir: `runs/${servers}-${service}`, phases }] };
    }),
  );
  const references = [3, 5, 7, 9].flatMap((servers) =>
    ['reads', 'writes'].map((phase) => ({
      label: `Paper, ${servers} servers`,
      curve: 'Paper',
      servers,
      source: 'a paper, table 1',
      phase,
      metric: 'throughput' as const,
      value: phase === 'reads' ? 29_000 * servers : 30_000 - 3_000 * servers,
      at: null,
    })),
  );
  const info = (name: string) => ({ name, description: `${name} 1.0`, failure: null });
  return sampleSweep({
    command: 'npx ringkeeper bench sweep sample-mix --targets embedded:1,embedded:3,embedded:5,embedded:7',
    target: info('embedded-1-3-5-7-apache-1-3-5-7'),
    services: ['embedded:1', 'apache:1'].map((text) => ({ text, target: info(text) })),
    axes: [
      { path: 'servers', values: [1, 3, 5, 7] },
      { path: 'service', values: ['embedded', 'apache'] },
    ],
    points,
    knee: [],
    plan: { ...SAMPLE_PLAN, references },
  });
}
