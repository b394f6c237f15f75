/**
 * What the campaigns (soak, arena, cores, write-path) share around their work: flags, ways out, and where results go.
 * A campaign is a command of its own because it takes longer than a test may and asks one question; everything it
 * measures with is the engine's.
 *
 *     results/<date>-<name>-<commit>/   <name>.json   summary.md   and what the campaign draws
 */
import { parseArgs } from 'node:util';
import { ConfigFailure, Failure } from '../../src/base/failure.ts';
import { setV8Flags } from '../base/v8-flags.ts';
import { environmentFacts, environmentLine } from '../figures/describe.ts';
import { formatInstant } from '../figures/format.ts';
import { jsonText } from '../figures/json-text.ts';
import { codeBlock, factLines } from '../figures/markdown.ts';
import { createResultDir, type ResultFile, writeResult } from '../report/result-dir.ts';
import type { Environment } from '../result/environment-facts.ts';
import { interruptible } from '../terminal/interruption.ts';
import { repeatCommand } from '../terminal/repeat-command.ts';

/** What every document of a campaign begins with. */
export interface CampaignHead {
  readonly schema: string;
  readonly schemaVersion: number;
  readonly startedAt: string;
  /** That makes it again. */
  readonly command: string;
  readonly environment: Environment;
  /** False when it was interrupted. */
  readonly complete: boolean;
}

/** Name of a flag -> its default as a text. `false`: a switch. */
export type FlagDefaults = Readonly<Record<string, string | false>>;
export type FlagValues<D extends FlagDefaults> = {
  readonly [Name in keyof D]: D[Name] extends false ? boolean : string;
};

/** @throws ConfigFailure for a flag that is not known, naming those that are. */
export function readFlags<const D extends FlagDefaults>(args: readonly string[], defaults: D): FlagValues<D> {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      value === false
        ? { type: 'boolean' as const, default: false }
        : { type: 'string' as const, default: value },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options }).values as FlagValues<D>;
  } catch (error) {
    const known = Object.keys(defaults).map((name) => `--${name}`);
    throw new ConfigFailure(`${(error as Error).message.split('\n')[0]} - flags: ${known.join(', ')}`);
  }
}

/** @throws ConfigFailure naming the flag, the value and what is allowed. */
export function numberFlag(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  throw new ConfigFailure(`--${name}: "${text}" - allowed: a number from ${min} to ${max}`);
}

/** @throws ConfigFailure likewise. */
export function countFlag(name: string, text: string, min: number, max: number): number {
  const value = numberFlag(name, text, min, max);
  if (Number.isInteger(value)) return value;
  throw new ConfigFailure(`--${name}: "${text}" - allowed: a whole number from ${min} to ${max}`);
}

/** The command that repeats a campaign, without the places of this machine. */
export function repeatText(main: string, args: readonly string[]): string {
  return repeatCommand(args).replace('npx ringkeeper', `node ${main}`);
}

/** Runs the body of a campaign's command and ends the process; what the user can mend is one line on stderr. */
export function runCampaign(notice: string, body: (abort: AbortSignal) => Promise<number>): Promise<never> {
  setV8Flags();
  return interruptible(notice, async (abort) => {
    try {
      return await body(abort);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      process.stderr.write(`${error.message}\n`);
      return error.exitStatus;
    }
  });
}

/** Returns the directory. `files` beside the document. @throws SaveFailure */
export function saveCampaign(
  out: string,
  name: string,
  document: CampaignHead,
  files: readonly ResultFile[],
): string {
  const commit = document.environment.commit?.slice(0, 7) ?? 'nocommit';
  const mark = document.complete ? '' : '-partial';
  const dir = createResultDir(out, `${document.startedAt.slice(0, 10)}-${name}-${commit}${mark}`);
  writeResult(dir, files, { name: `${name}.json`, content: jsonText(document) }, { own: true });
  return dir;
}

/** The end of every `summary.md`: on what, and how to make it again. */
export function campaignFoot(head: CampaignHead): string[] {
  return [
    '## On what, and again',
    '',
    `${formatInstant(head.startedAt)}. ${environmentLine(head.environment)}.`,
    '',
    ...factLines(environmentFacts(head.environment)),
    ...codeBlock([head.command]),
  ];
}
