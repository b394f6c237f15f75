/**
 * What the campaigns share around their work: flags that are checked, and where results go. A campaign is a command of
 * its own (`ringkeeper bench campaign NAME`, listed in command/campaign.ts) because it takes longer than a test may and
 * asks one question; everything it measures with is the engine's.
 *
 *     results/<date>-<name>-<commit>/   <name>.json   summary.md   and what the campaign draws
 */
import type { Argv } from 'yargs';
import { ConfigFailure } from '../../src/base/failure.ts';
import { environmentFacts, environmentLine } from '../figures/describe.ts';
import { formatInstant } from '../figures/format.ts';
import { jsonText } from '../figures/json-text.ts';
import { codeBlock, factLines } from '../figures/markdown.ts';
import { createResultDir, type ResultFile, writeResult } from '../report/result-dir.ts';
import { writeResultsReadme } from '../report/results-readme.ts';
import type { Environment } from '../result/environment-facts.ts';
import { PUBLISHED_DIR, withOutFlag, withTempDirFlag } from '../terminal/flags.ts';
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

export interface PlaceFlags {
  readonly out: string;
  readonly tempDir: string;
}

/** Where the result goes, where servers keep their data: every campaign has both. */
export function withPlaces<T>(args: Argv<T>): Argv<T & PlaceFlags> {
  return withTempDirFlag(withOutFlag(args)) as Argv<unknown> as Argv<T & PlaceFlags>;
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

/** The command that repeats this one, without the places of this machine. */
export function thisCommand(): string {
  return repeatCommand(process.argv.slice(2));
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
  if (out === PUBLISHED_DIR) writeResultsReadme(out);
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
