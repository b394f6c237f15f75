/**
 * Is the meter right? Runs the engine where arithmetic says what must come out, and writes down both. Longer than a
 * test may take and about time, so it has its own command:
 *
 *     node bench/campaigns/meter/main.ts [--seconds 8] [--out results]
 *
 *     pause      open loop at a constant rate, the server stopped (SIGSTOP) for the second half of the measured time T:
 *                a request due at t waits for the end of the pause, so the affected half has a mean of T/4 (half of its
 *                pause of T/2), the slowest T/2, and availability is 50 %
 *     delay      a null server that answers each request a fixed time after its arrival: that time is the p50
 *     count      requests per second as measured beside the growth of the server's own `packets_received`
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { addressText } from '../../base/address.ts';
import { setV8Flags } from '../../base/v8-flags.ts';
import { markdownTable } from '../../figures/markdown.ts';
import type { Plan } from '../../plan/plan.ts';
import { buildPlan } from '../../plan/schema.ts';
import type { PhaseResult } from '../../result/run-json.ts';
import { runPlan } from '../../run/run-plan.ts';
import { startTarget } from '../../target/start-target.ts';
import { parseTargetSpec } from '../../target/target-spec.ts';

const RESULTS = join(import.meta.dirname, '../../../results');
const RATE = 2_000;
const DELAY_MS = 20;

interface Finding {
  readonly what: string;
  readonly target: string;
  readonly expected: number;
  readonly measured: number;
  readonly unit: string;
  /** Of the expected value. */
  readonly tolerance: number;
}

setV8Flags();
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '8' }, out: { type: 'string', default: RESULTS } },
});
const measureMs = Number(values.seconds) * 1000;

const findings = [
  ...(await pausedServer('embedded')),
  ...(await pausedServer('apache')),
  ...(await delayedServer()),
  ...(await countedRequests('embedded')),
  ...(await countedRequests('apache')),
  ...(await countedRequests('null')),
];
const rows = findings.map(({ what, target, expected, measured, unit, tolerance }) => [
  what,
  target,
  `${rounded(expected)} ${unit}`,
  `${rounded(measured)} ${unit}`,
  `${((measured / expected - 1) * 100).toFixed(1)} %`,
  `${(tolerance * 100).toFixed(0)} %`,
  Math.abs(measured / expected - 1) <= tolerance ? 'yes' : 'NO',
]);
const head = ['', 'target', 'arithmetic', 'measured', 'off by', 'allowed', 'within'];
const table = markdownTable(head, rows).join('\n');
process.stdout.write(`${table}\n`);
save(table);
process.exit(rows.some((row) => row[6] === 'NO') ? 1 : 0);

async function pausedServer(targetText: string): Promise<Finding[]> {
  const target = await startTarget(parseTargetSpec(targetText), startOptions());
  const plan = planOf('pause', { mix: { get: 1 }, arrival: { rate: RATE }, warmup: '2s' }, 10, 100);
  const pid = target.pid!;
  let stopped = false;
  try {
    const outcome = await runPlan(plan, {
      ...runOptions(addressText(target.addresses[0]!)),
      progress: {
        start: () => {},
        stop: () => {},
        update: (doneMs) => {
          if (stopped || doneMs < 2_000 + measureMs / 2 - 300) return;
          stopped = true;
          const untilHalfMs = 2_000 + measureMs / 2 - doneMs;
          setTimeout(() => {
            process.kill(pid, 'SIGSTOP');
            setTimeout(() => process.kill(pid, 'SIGCONT'), measureMs / 2);
          }, untilHalfMs);
        },
      },
    });
    const [phase] = outcome!.run.phases;
    const share = availabilityOf(phase!, 'read');
    return [
      {
        what: `mean latency of the affected half, server stopped for ${measureMs / 2000} s`,
        target: targetText,
        // The other half answers in well under a millisecond and is half of all requests.
        expected: measureMs / 4,
        measured: phase!.latency!.meanMs * 2,
        unit: 'ms',
        tolerance: 0.05,
      },
      {
        what: 'slowest request of the same run',
        target: targetText,
        expected: measureMs / 2,
        measured: phase!.latency!.maxMs,
        unit: 'ms',
        tolerance: 0.05,
      },
      {
        what: 'availability (reads) of the same run',
        target: targetText,
        expected: 50,
        measured: share * 100,
        unit: '%',
        tolerance: 0.05,
      },
    ];
  } finally {
    await target.stop();
  }
}

async function delayedServer(): Promise<Finding[]> {
  const found: Finding[] = [];
  const arrivals = [
    ['closed loop', 'closed'],
    ['open loop', { rate: 200 }],
  ] as const;
  for (const [name, arrival] of arrivals) {
    const plan = planOf('delay', { mix: { get: 1 }, arrival, warmup: '1s' }, 10, 1);
    const outcome = await runPlan(plan, runOptions(`null:delayMs=${DELAY_MS}`));
    found.push({
      what: `p50 with a fixed delay, ${name}`,
      target: 'null server',
      expected: DELAY_MS,
      measured: outcome!.run.phases[0]!.latency!.p50Ms,
      unit: 'ms',
      tolerance: 0.1,
    });
  }
  return found;
}

async function countedRequests(targetText: string): Promise<Finding[]> {
  const phase = { mix: { get: 70, set: 30 }, warmup: '3s' };
  const outcome = await runPlan(planOf('count', phase, 50, 20), runOptions(targetText));
  const result = outcome!.run.phases[0]!;
  const packets = result.metrics?.packetsReceived;
  if (packets == null) throw new Error(`${targetText} did not say how many packets it received`);
  return [
    {
      what: "requests in the measured time, by the server's own count",
      target: targetText,
      expected: packets,
      measured: result.requests,
      unit: '',
      tolerance: 0.05,
    },
  ];
}

function planOf(name: string, phase: object, connections: number, outstanding: number): Plan {
  return buildPlan(
    {
      name,
      description: 'the meter against arithmetic',
      tree: { znodes: 1000, values: '100B' },
      connections,
      outstanding,
      phases: { [name]: { ...phase, measure: `${measureMs}ms` } },
    },
    'bench/meter',
  );
}

function startOptions() {
  return { serverArgs: [], tempParent: tmpdir(), valueBytes: 100, extendedTypes: false };
}

function runOptions(target: string) {
  return {
    target: parseTargetSpec(target),
    serverArgs: [],
    tempParent: tmpdir(),
    command: 'node bench/campaigns/meter/main.ts',
    progress: { start: () => {}, update: () => {}, stop: () => {} },
    abort: new AbortController().signal,
    ceilings: null,
  };
}

function availabilityOf(phase: PhaseResult, probeClass: string): number {
  return phase.availability.classes[probeClass]!.byTime;
}

function rounded(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1);
}

function save(text: string): void {
  const date = new Date().toISOString().slice(0, 10);
  const dir = join(values.out, `${date}-meter-validation`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, 'meter.json'),
    `${JSON.stringify({ seconds: measureMs / 1000, findings }, null, 2)}\n`,
  );
  const lines = [
    '# The meter against arithmetic',
    '',
    `Each line is a run whose outcome is known beforehand; measured for ${measureMs / 1000} s each.`,
    '',
    text,
    '',
    'Again: `node bench/campaigns/meter/main.ts`',
  ];
  writeFileSync(join(dir, 'summary.md'), `${lines.join('\n')}\n`);
}
