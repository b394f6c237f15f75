/** `ringkeeper bench replay FILE`: a recorded workload again, on any target, at its own pace or another one. */
import type { Argv, CommandModule } from 'yargs';
import { monotonicMs } from '../base/phase-clock.ts';
import { captureEnvironment } from '../measure/environment.ts';
import { ServerSampler } from '../measure/server-sampler.ts';
import { PLACEMENTS, type Placement } from '../plan/plan.ts';
import { checkRecording } from '../replay/recording-reader.ts';
import { type ReplayOutcome, type ReplayProgress, replayRecording } from '../replay/replay.ts';
import { replayRun, type ServerFigures } from '../replay/replay-result.ts';
import { parseSpeed } from '../replay/replay-schedule.ts';
import { renderReplay } from '../replay/replay-table.ts';
import { prepareOut } from '../report/result-dir.ts';
import { saveRun } from '../report/save-run.ts';
import { loadAddresses } from '../run/placement.ts';
import type { Progress } from '../run/progress.ts';
import { startTarget } from '../target/start-target.ts';
import type { Target } from '../target/target.ts';
import { parseTargetSpec } from '../target/target-spec.ts';
import { type OutputFlags, oneText, withOutputFlags } from '../terminal/flags.ts';
import { interruptible } from '../terminal/interruption.ts';
import { repeatCommand } from '../terminal/repeat-command.ts';
import { renderJson } from '../terminal/terminal-compare.ts';
import { type ServerFlags, withServerFlags } from './engine.ts';
import { statusOfRun } from './exit-status.ts';
import { printAndSave, progressFor } from './output.ts';

interface ReplayFlags extends OutputFlags, ServerFlags {
  readonly file: string;
  readonly target: string;
  readonly connectTo: Placement;
  readonly speed: string;
  readonly order: 'connection' | 'all';
  readonly keepSessions: boolean;
}

export const replayCommand: CommandModule<object, ReplayFlags> = {
  command: 'replay <file>',
  describe: 'Replay a recorded workload',
  builder: (args: Argv): Argv<ReplayFlags> =>
    withOutputFlags(withServerFlags(args))
      .positional('file', { type: 'string', demandOption: true, describe: 'made by bench record' })
      .option('target', {
        ...oneText,
        default: 'embedded',
        describe:
          'embedded, apache, embedded:3, apache:5+2, mixed:2+1, null, commit:REV or host:port,host:port',
      })
      .option('connect-to', {
        choices: PLACEMENTS,
        default: 'spread' as const,
        describe: 'which servers of several',
      })
      .option('speed', {
        ...oneText,
        default: '1',
        describe: '2 = twice as fast as recorded; max = as fast as it goes',
      })
      .option('order', {
        choices: ['connection', 'all'] as const,
        default: 'connection' as const,
        describe: 'with --speed max: what keeps its recorded order',
      })
      .option('keep-sessions', {
        type: 'boolean',
        default: false,
        describe: 'leave sessions that the recording leaves open to expire',
      }) as Argv<unknown> as Argv<ReplayFlags>,
  handler: (flags) => interruptible('stopping; what was replayed is saved', (abort) => replay(flags, abort)),
};

async function replay(flags: ReplayFlags, abort: AbortSignal): Promise<number> {
  const speed = parseSpeed(flags.speed);
  const spec = parseTargetSpec(flags.target);
  prepareOut(flags.out);
  await checkRecording(flags.file);
  const target = await startTarget(spec, {
    serverArgs: flags.serverArg,
    tempParent: flags.tempDir,
    valueBytes: 0,
    extendedTypes: true,
    abort,
  });
  try {
    const environment = await captureEnvironment(target);
    const addresses = await loadAddresses(flags.connectTo, target);
    const { outcome, servers } = await watched(target, (onReplies) =>
      withProgress(progressFor(flags), (onProgress) =>
        replayRecording(flags.file, {
          target: addresses,
          speed,
          order: flags.order,
          keepSessions: flags.keepSessions,
          progress: (state) => {
            onReplies(state.replies);
            onProgress(state);
          },
          abort,
        }),
      ),
    );
    const { name, description, failure } = target;
    const command = repeatCommand(process.argv.slice(2));
    const run = replayRun(outcome, { command, target: { name, description, failure }, environment, servers });
    const saved = printAndSave({ text: () => renderReplay(run), json: renderJson(run) }, flags, () =>
      saveRun(run, flags.out),
    );
    return saved || statusOfRun(run);
  } finally {
    await target.stop();
  }
}

/** Beside the replay: what its servers took for it, all together and, of several, each. */
async function watched(
  target: Target,
  body: (onReplies: (count: number) => void) => Promise<ReplayOutcome>,
): Promise<{ readonly outcome: ReplayOutcome; readonly servers: ServerFigures }> {
  let replies = 0;
  const sampler = new ServerSampler(target, () => replies);
  const fromMs = monotonicMs();
  sampler.start();
  try {
    const outcome = await body((count) => {
      replies = count;
    });
    replies = outcome.tally.replyCount;
    await sampler.sampleNow();
    const toMs = monotonicMs();
    const parts = sampler.parts(fromMs, fromMs, toMs);
    // Sessions go where the recording's went: whose connections they are is not counted here.
    const each = parts.map((part) => ({ ...part, connections: null, answeredPerSecond: null }));
    const figures = {
      server: sampler.usage(fromMs, toMs),
      metrics: sampler.metrics(fromMs, toMs),
      samples: sampler.samples(fromMs, toMs),
    };
    return { outcome, servers: { ...figures, ...(each.length < 2 ? {} : { servers: each }) } };
  } finally {
    sampler.stop();
  }
}

async function withProgress(
  progress: Progress,
  body: (onProgress: (state: ReplayProgress) => void) => Promise<ReplayOutcome>,
): Promise<ReplayOutcome> {
  let last = { elapsedMs: 0, replies: 0 };
  progress.start(null);
  try {
    return await body((state) => {
      const seconds = (state.elapsedMs - last.elapsedMs) / 1000;
      const ratePerSecond = seconds > 0 ? (state.replies - last.replies) / seconds : 0;
      last = state;
      progress.update(state.share, {
        label: 'replay',
        ratePerSecond,
        p99Ms: null,
        errors: state.differing,
      });
    });
  } finally {
    progress.stop();
  }
}
