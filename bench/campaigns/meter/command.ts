/**
 * `ringkeeper bench campaign meter`: is the meter right? Runs the engine where arithmetic says what must come out, and
 * writes down both. Exit status 1 when a figure is off by more than is allowed.
 *
 *     pause      open loop at a constant rate, the server stopped (SIGSTOP) for the second half of the measured time T:
 *                a request due at t waits for the end of the pause, so the affected half has a mean of T/4 (half of its
 *                pause of T/2), the slowest T/2, and availability is 50 %
 *     delay      a null server that answers each request a fixed time after its arrival: that time is the p50
 *     count      requests per second as measured beside the growth of the server's own `packets_received`
 */
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { addressText } from '../../base/address.ts';
import { formatCount } from '../../figures/format.ts';
import { markdownTable } from '../../figures/markdown.ts';
import { captureMachine } from '../../measure/environment.ts';
import type { Plan } from '../../plan/plan.ts';
import { buildPlan } from '../../plan/schema.ts';
import { prepareOut } from '../../report/result-dir.ts';
import type { PhaseResult } from '../../result/run-json.ts';
import { silentProgress } from '../../run/progress.ts';
import { type RunOptions, runPlan } from '../../run/run-plan.ts';
import { hasApache } from '../../target/apache-program.ts';
import { startTarget } from '../../target/start-target.ts';
import { parseTargetSpec } from '../../target/target-spec.ts';
import { oneText, type WarmFlags, warmUpMsOf, withWarmFlag } from '../../terminal/flags.ts';
import { interruptible } from '../../terminal/interruption.ts';
import {
  type CampaignHead,
  campaignFoot,
  numberFlag,
  type PlaceFlags,
  saveCampaign,
  thisCommand,
  withPlaces,
} from '../campaign.ts';

const RATE = 2_000;
const DELAY_MS = 20;
const WARMUP_MS = 2_000;

interface Finding {
  readonly what: string;
  readonly target: string;
  readonly expected: number;
  readonly measured: number;
  readonly unit: string;
  /** Of the expected value. */
  readonly tolerance: number;
}

interface MeterResult extends CampaignHead {
  readonly seconds: number;
  readonly findings: readonly Finding[];
}

interface MeterFlags extends PlaceFlags, WarmFlags {
  readonly seconds: string;
  readonly vs: string;
}

export const meterCommand: CommandModule<object, MeterFlags> = {
  builder: (args: Argv): Argv<MeterFlags> =>
    withWarmFlag(withPlaces(args), 'Servers that are started:')
      .option('seconds', { ...oneText, default: '8', describe: 'measured per run' })
      .option('vs', {
        ...oneText,
        default: '',
        defaultDescription: 'Apache where it is installed',
        describe: 'apache, or none: a second server, measured the same way',
      }) as Argv<unknown> as Argv<MeterFlags>,
  handler: (flags) => interruptible('stopping; nothing is saved', (abort) => runMeter(flags, abort)),
};

/** What all runs of the campaign share. */
interface MeterSetting {
  readonly measureMs: number;
  readonly tempParent: string;
  readonly warmUpMsMax: number;
  readonly command: string;
  readonly abort: AbortSignal;
}

async function runMeter(flags: MeterFlags, abort: AbortSignal): Promise<number> {
  const seconds = numberFlag('seconds', flags.seconds, 0.5, 3600);
  const servers = ['embedded', ...comparedServers(flags.vs)];
  prepareOut(flags.out);
  const head = {
    schema: 'ringkeeper-bench-meter',
    schemaVersion: 1,
    startedAt: new Date().toISOString(),
    command: thisCommand(),
    environment: captureMachine(flags.tempDir),
  };
  const setting = {
    measureMs: seconds * 1000,
    tempParent: flags.tempDir,
    warmUpMsMax: warmUpMsOf(flags),
    command: head.command,
    abort,
  };
  const findings: Finding[] = [];
  for (const server of servers) findings.push(...(await pausedServer(server, setting)));
  findings.push(...(await delayedServer(setting)));
  for (const server of [...servers, 'null']) findings.push(...(await countedRequests(server, setting)));
  const result: MeterResult = { ...head, complete: true, seconds, findings };
  process.stdout.write(`${findingsTable(result).join('\n')}\n`);
  const files = [{ name: 'summary.md', content: renderSummary(result) }];
  process.stdout.write(`saved in ${saveCampaign(flags.out, 'meter', result, files)}\n`);
  return findings.every(isWithin) ? 0 : 1;
}

function isWithin({ measured, expected, tolerance }: Finding): boolean {
  return Math.abs(measured / expected - 1) <= tolerance;
}

function findingsTable({ findings }: MeterResult): string[] {
  const rows = findings.map((finding) => [
    finding.what,
    finding.target,
    `${rounded(finding.expected)} ${finding.unit}`,
    `${rounded(finding.measured)} ${finding.unit}`,
    `${((finding.measured / finding.expected - 1) * 100).toFixed(1)} %`,
    `${(finding.tolerance * 100).toFixed(0)} %`,
    isWithin(finding) ? 'yes' : 'NO',
  ]);
  return markdownTable(['', 'target', 'arithmetic', 'measured', 'off by', 'allowed', 'within'], rows);
}

function renderSummary(result: MeterResult): string {
  return `${[
    '# The meter against arithmetic',
    '',
    `Each line is a run whose outcome is known beforehand; measured for ${result.seconds} s each.`,
    '',
    ...findingsTable(result),
    '',
    ...campaignFoot(result),
  ].join('\n')}\n`;
}

async function pausedServer(targetText: string, setting: MeterSetting): Promise<Finding[]> {
  const { measureMs } = setting;
  const options = { serverArgs: [], tempParent: setting.tempParent, valueBytes: 100, extendedTypes: false };
  const target = await startTarget(parseTargetSpec(targetText), options);
  const plan = planOf('pause', { mix: { get: 1 }, arrival: { rate: RATE }, warmup: '2s' }, 10, 100, setting);
  const pid = target.servers[0]!.pid!;
  let stopped = false;
  try {
    const phase = await measured(plan, {
      ...runOptions(addressText(target.addresses[0]!), setting),
      progress: {
        start: () => {},
        stage: () => {},
        stop: () => {},
        update: (doneMs) => {
          if (stopped || doneMs < WARMUP_MS + measureMs / 2 - 300) return;
          stopped = true;
          const untilHalfMs = WARMUP_MS + measureMs / 2 - doneMs;
          setTimeout(() => {
            process.kill(pid, 'SIGSTOP');
            setTimeout(() => process.kill(pid, 'SIGCONT'), measureMs / 2);
          }, untilHalfMs);
        },
      },
    });
    const share = availabilityOf(phase, 'read');
    return [
      {
        what: `mean latency of the affected half, server stopped for ${measureMs / 2000} s`,
        target: targetText,
        // The other half answers in well under a millisecond and is half of all requests.
        expected: measureMs / 4,
        measured: phase.latency!.meanMs * 2,
        unit: 'ms',
        tolerance: 0.05,
      },
      {
        what: 'slowest request of the same run',
        target: targetText,
        expected: measureMs / 2,
        measured: phase.latency!.maxMs,
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

async function delayedServer(setting: MeterSetting): Promise<Finding[]> {
  const found: Finding[] = [];
  const arrivals = [
    ['closed loop', 'closed'],
    ['open loop', { rate: 200 }],
  ] as const;
  for (const [name, arrival] of arrivals) {
    const plan = planOf('delay', { mix: { get: 1 }, arrival, warmup: '1s' }, 10, 1, setting);
    const phase = await measured(plan, runOptions(`null:delayMs=${DELAY_MS}`, setting));
    found.push({
      what: `p50 with a fixed delay, ${name}`,
      target: 'null server',
      expected: DELAY_MS,
      measured: phase.latency!.p50Ms,
      unit: 'ms',
      tolerance: 0.1,
    });
  }
  return found;
}

async function countedRequests(targetText: string, setting: MeterSetting): Promise<Finding[]> {
  const phase = { mix: { get: 70, set: 30 }, warmup: '3s' };
  const result = await measured(planOf('count', phase, 50, 20, setting), runOptions(targetText, setting));
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

function planOf(
  name: string,
  phase: object,
  connections: number,
  outstanding: number,
  { measureMs }: MeterSetting,
): Plan {
  return buildPlan(
    {
      name,
      description: 'the meter against arithmetic',
      tree: { znodes: 1000, values: '100B' },
      connections,
      outstanding,
      phases: { [name]: { ...phase, measure: `${measureMs}ms` } },
    },
    'bench campaign meter',
  );
}

function runOptions(target: string, { tempParent, warmUpMsMax, command, abort }: MeterSetting): RunOptions {
  const progress = silentProgress();
  return {
    target: parseTargetSpec(target),
    serverArgs: [],
    tempParent,
    warmUpMsMax,
    command,
    progress,
    abort,
    ceilings: null,
  };
}

/** The only phase. What an abort cut short is compared with nothing. */
async function measured(plan: Plan, options: RunOptions): Promise<PhaseResult> {
  const phase = (await runPlan(plan, options))?.run.phases[0];
  if (phase === undefined || options.abort.aborted) throw new Error('interrupted: nothing is saved');
  return phase;
}

function availabilityOf(phase: PhaseResult, probeClass: string): number {
  return phase.availability.classes[probeClass]!.byTime;
}

function rounded(value: number): string {
  return value >= 1000 ? formatCount(Math.round(value)) : value.toFixed(1);
}

function comparedServers(text: string): string[] {
  if (text === 'apache' || (text === '' && hasApache())) return ['apache'];
  if (text === '' || text === 'none') return [];
  throw new ConfigFailure(`--vs: "${text}" - allowed: apache or none`);
}
