/** What commands print and save. Figures come first: a full disk costs the files, not what is on the terminal. */
import { Failure } from '../../src/base/failure.ts';
import { plural } from '../figures/format.ts';
import { busyWarning, lookAtMachine } from '../measure/machine-load.ts';
import { writeResultsReadme } from '../report/results-readme.ts';
import { type Progress, silentProgress } from '../run/progress.ts';
import { terminalProgress } from '../terminal/progress.ts';
import { DEFAULT_COLUMNS, type TerminalStyle } from '../terminal/terminal-tables.ts';

export interface Printed {
  /** For people, on stdout. */
  readonly text: (style: TerminalStyle) => string;
  /** One document, in place of the text. */
  readonly json: string;
  /** The last words, when it is known where the result is; none beside JSON. */
  readonly closing?: (dir: string) => readonly string[];
}

/** Prints, saves, says where. Returns 0, or 1 when the result could not be saved. */
export function printAndSave(
  printed: Printed,
  { json, publish, out }: { readonly json: boolean; readonly publish: boolean; readonly out: string },
  save: () => string,
): number {
  process.stdout.write(json ? printed.json : `${printed.text(stdoutStyle())}\n`);
  try {
    const dir = save();
    if (!json) process.stdout.write(`saved in ${dir}\n`);
    if (publish) writeResultsReadme(out);
    if (!json && printed.closing !== undefined)
      process.stdout.write(`\n${printed.closing(dir).join('\n')}\n`);
    return 0;
  } catch (error) {
    return tell(error);
  }
}

/** One line on stderr for what the user can mend, which is not the end of the command. Returns the exit status. */
export function tell(error: unknown): number {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`${error.message}\n`);
  return error.exitStatus;
}

/** Never beside JSON. */
export function progressFor({ json }: { readonly json: boolean }): Progress {
  return json ? silentProgress() : terminalProgress();
}

/** Before a run: figures of a machine that others use are about the others too. */
export async function warnOfOthers({ json }: { readonly json: boolean }): Promise<void> {
  if (json) return;
  const warning = busyWarning(await lookAtMachine());
  if (warning !== null) process.stderr.write(`${warning}\n`);
}

/**
 * The same for the runs of a series, with a word about the run in front of each label: `run 3 of 24 read`.
 * @param ofWhat Of the run, where they differ: `run 3 of 24 apache:3 read`.
 */
export function labelled(
  progress: Progress,
  runNumber: () => number,
  runCount: number | null,
  ofWhat: () => string = () => '',
): Progress {
  const each = runCount === null ? 'each run' : `each of ${plural(runCount, 'run')}`;
  const prefix = (): string =>
    `run ${runNumber()}${runCount === null ? '' : ` of ${runCount}`} ${ofWhat()}`.trimEnd();
  return {
    start: (totalMs) => progress.start(totalMs, each),
    stage: (what) => progress.stage(`${prefix()} ${what}`),
    update: (doneMs, state) => progress.update(doneMs, { ...state, label: `${prefix()} ${state.label}` }),
    stop: () => progress.stop(),
  };
}

function stdoutStyle(): TerminalStyle {
  const { stdout } = process;
  return {
    columns: stdout.columns ?? DEFAULT_COLUMNS,
    color: stdout.isTTY === true && stdout.hasColors(),
  };
}
