/**
 * What may be believed of a run, in words for its reader: one wording for the terminal, the summaries and the pages.
 *
 *     good   sound        the figures mean what they say and stood still
 *     warn   unsteady     they hold, and the spread beside them says how far they move
 *     bad    void         they do not mean what they say
 */
import {
  type AvailabilityResult,
  type PhaseResult,
  type RunResult,
  type Verdict,
  verdictOfRun,
} from '../result/run-json.ts';
import { formatPercent, formatRate, formatShare, MISSING, plural } from './format.ts';
import { leaderKillSentence } from './leader-kill.ts';

export type VerdictLook = 'good' | 'warn' | 'bad';

export const VERDICT_LOOKS: Readonly<Record<Verdict, VerdictLook>> = {
  sound: 'good',
  unsteady: 'warn',
  void: 'bad',
};

export interface RunVerdict {
  readonly look: VerdictLook;
  /** `Void; the figures do not mean what they say`. */
  readonly title: string;
  /** Why, or what the rules that hold have shown. */
  readonly lines: readonly string[];
}

export const VERDICT_TITLES: Readonly<Record<Verdict, string>> = {
  sound: 'Sound',
  unsteady: 'Sound but not steady; the figures hold with the spread beside them',
  void: 'Void; the figures do not mean what they say',
};

const SOUND_SENTENCE =
  'Every reply came, in order and without error; the offered rate was met; the generator had time to spare; ' +
  'throughput x latency agrees with the requests in flight; throughput stood still.';

export function runVerdict(run: RunResult): RunVerdict {
  const verdict = verdictOfRun(run);
  const lines = [...caveats(run), ...notes(run)];
  const look = verdict === 'sound' && lines.length > 0 ? 'warn' : VERDICT_LOOKS[verdict];
  if (verdict !== 'sound') return { look, title: VERDICT_TITLES[verdict], lines };
  if (lines.length > 0) return { look, title: 'Sound, to be read with care', lines };
  return { look, title: VERDICT_TITLES.sound, lines: [SOUND_SENTENCE] };
}

/** `± 12 %` of a phase that was not steady; null of others, and where there is no figure. */
function spreadText({ steady }: PhaseResult): string | null {
  return steady.reached || steady.variation === null ? null : `± ${formatPercent(steady.variation)}`;
}

/** `812,000 /s ± 12 %`. */
export function throughputText(phase: PhaseResult): string {
  const spread = spreadText(phase);
  return `${formatRate(phase.throughputPerSecond)}${spread === null ? '' : ` ${spread}`}`;
}

/** `2 of 5 unsteady, 1 void`; empty when all are sound. */
export function countVerdicts(verdicts: readonly Verdict[]): string {
  const count = (wanted: Verdict): number => verdicts.filter((verdict) => verdict === wanted).length;
  const parts: string[] = [];
  if (count('unsteady') > 0) parts.push(`${count('unsteady')} of ${verdicts.length} unsteady`);
  if (count('void') > 0) parts.push(`${count('void')} of ${verdicts.length} void`);
  return parts.join(', ');
}

/** `100 %`; else with the class that was worst and in which way: `27.0 % (write, late)`. */
export function availabilityText(availability: AvailabilityResult): string {
  const share = formatShare(availability.byTime);
  const worst = worstClass(availability);
  return worst === null ? share : `${share} (${worst.name}, ${worst.how})`;
}

/** The same in two: the share, and what to write under its name. */
export function availabilityParts(availability: AvailabilityResult): [name: string, share: string] {
  const worst = worstClass(availability);
  const name = worst === null ? 'Availability' : `Availability (${worst.name}, ${worst.how})`;
  return [name, formatShare(availability.byTime)];
}

/** The probe class with the least up time; null when all were up all the time. */
function worstClass({
  byTime,
  classes,
}: AvailabilityResult): { readonly name: string; readonly how: 'late' | 'failed' } | null {
  if (byTime >= 1) return null;
  const [worst] = Object.entries(classes).sort(([, a], [, b]) => a.byTime - b.byTime);
  if (worst === undefined) return null;
  const [name, { outcomes }] = worst;
  return { name, how: outcomes.failed > outcomes.late ? 'failed' : 'late' };
}

/** What stands between the figures and belief, one line each, the worst kind first; empty when nothing does. */
function caveats(run: RunResult): string[] {
  const lines: string[] = [];
  const { failure } = run.target;
  if (failure !== null && run.complete) lines.push(`at its end the service gave no session: ${failure}`);
  else if (failure !== null) lines.push(`the server failed during the run, which ended there: ${failure}`);
  else if (!run.complete) lines.push('the run was interrupted: these are partial results');
  const unsteady: string[] = [];
  const dead = failure === null ? [] : run.phases.filter(({ latency }) => latency === null);
  for (const phase of run.phases) {
    // That the server is gone has just been said.
    const findings = phase.findings.filter(({ rule }) => failure === null || rule !== 'targetAlive');
    for (const { kind, text } of dead.includes(phase) ? [] : findings) {
      (kind === 'void' ? lines : unsteady).push(`${phase.plan.name}: ${text}`);
    }
    if (phase.check !== null && !phase.check.passed) {
      lines.push(`${phase.plan.name}: the history breaks the service's guarantees, see the check`);
    }
  }
  if (dead.length > 0) lines.push(`${dead.map(({ plan }) => plan.name).join(', ')}: nothing was answered`);
  lines.push(...unsteady);
  return lines;
}

/** What a reader should know all the same. */
function notes(run: RunResult): string[] {
  const lines = run.phases.flatMap((phase) => {
    const worst = worstClass(phase.availability);
    if (worst === null || worst.how !== 'late' || 'requests' in phase.availability.classes) return [];
    const deadline = `${run.plan.probes.deadlineMs} ms`;
    return [
      `${phase.plan.name}: available ${formatShare(phase.availability.byTime)} of the time: "${worst.name}" probes were ` +
        `answered, but later than ${deadline}; they wait behind the load`,
    ];
  });
  if (run.phases.some(ceilingUnknown)) {
    lines.push(
      "the generator's ceiling was not measured: nothing shows that it is not what limits these figures",
    );
  }
  if (run.environment.dataFilesystem === 'tmpfs') {
    lines.push('the data directory is on tmpfs: writes were not durable (choose a disk with --temp-dir)');
  }
  return lines;
}

function ceilingUnknown({ plan, generator, availability }: PhaseResult): boolean {
  return (
    plan.load.kind === 'mix' && generator.ceilingPerSecond === null && !('requests' in availability.classes)
  );
}

/**
 * The end of a run on the terminal: what anybody understands, and one thing to do next. Who looked at
 * one server of ours is told how to have several.
 */
export function closingLines(run: RunResult, reportFile: string): readonly string[] {
  const kill = leaderKillSentence(run);
  const measured = run.phases.filter(({ leaderKill }) => leaderKill === undefined);
  const rates = measured.map((phase) => `${phase.plan.name} ${throughputText(phase)}`).join(', ');
  return [
    [
      ...(rates === '' ? [] : [`${run.target.description} answered: ${rates}.`]),
      ...(kill === null ? [] : [kill]),
      trustSentence(run),
    ].join(' '),
    `Next: ${nextStep(run, reportFile)}`,
    ...(run.target.name === 'embedded' ? ['Three servers in one terminal: npx ringkeeper ensemble'] : []),
  ];
}

function trustSentence(run: RunResult): string {
  const verdict = verdictOfRun(run);
  if (verdict === 'sound') return 'These figures can be relied on.';
  if (verdict === 'unsteady') {
    const machine = busyWords(run.phases);
    return `These figures hold, with that spread${machine === '' ? '' : `; ${machine}`}.`;
  }
  const first = caveats(run)[0] ?? 'a check failed';
  return `Do not use these figures: ${first}.`;
}

/** Of the phases together: `this machine was busy, other programs used up to 1.1 cores`. */
function busyWords(phases: readonly PhaseResult[]): string {
  const others = Math.max(0, ...phases.map(({ othersCores }) => othersCores ?? 0));
  const waiting = Math.max(0, ...phases.map(({ cpuPressure }) => cpuPressure ?? 0));
  if (others >= 0.1) return `this machine was busy: other programs used up to ${others.toFixed(1)} cores`;
  if (waiting >= 0.05)
    return `this machine was busy: up to ${formatPercent(waiting)} of the time something waited for a CPU`;
  return '';
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  complete: 'run it again to its end',
  targetAlive: "look into the server's log, then run it again",
  allReplies: 'look at the errors in',
  rateMet: 'ask for a lower rate, which the service can keep',
  lag: 'run it again when the machine is quiet, or the server on another machine',
  generatorBusy: 'give the generator more threads (--set workers=2), or the server another machine',
  ceiling: 'give the generator more threads (--set workers=2), or the server another machine',
  littlesLaw: 'run it again for longer (--seconds 30)',
  check: 'run it again for longer (--seconds 30)',
};

function nextStep(run: RunResult, reportFile: string): string {
  const verdict = verdictOfRun(run);
  if (verdict === 'void') {
    const rule = run.phases.flatMap(({ findings }) => findings).find(({ kind }) => kind === 'void')?.rule;
    const step = run.target.failure !== null ? NEXT_STEPS['targetAlive'] : NEXT_STEPS[rule ?? ''];
    return step === undefined || step.endsWith(' in') ? `look at what went wrong in ${reportFile}` : step;
  }
  if (verdict === 'unsteady')
    return `run it again when the machine is quiet; the curves are in ${reportFile}`;
  return `open ${reportFile} for the curves`;
}

/** For tables over several runs. */
export function runsText(verdicts: readonly Verdict[]): string {
  const odd = countVerdicts(verdicts);
  return odd === '' ? (verdicts.length === 0 ? MISSING : plural(verdicts.length, 'sound run')) : odd;
}
