/**
 * Puts a search for better settings on disk, beside its runs:
 *
 *     <parent>/<date>-<plan>-tune-<target>-<commit>/   tune.json  summary.md  report.html  zoo.cfg.fragment
 *                                                    runs/01-default/run.json ...
 *
 * The fragment is there only where a setting was shown to be better.
 */
import { environmentFacts, environmentLine, phaseLine, planLine } from '../figures/describe.ts';
import { formatInstant, sentenceOf } from '../figures/format.ts';
import { jsonText } from '../figures/json-text.ts';
import { codeBlock, factLines, tableLines } from '../figures/markdown.ts';
import {
  candidateTable,
  conclusionText,
  effectTable,
  noiseText,
  settingsText,
  tuneRunsText,
} from '../figures/tune-figures.ts';
import type { Tuning } from '../result/tune-json.ts';
import { renderTuneReport } from './html/tune-report.ts';
import { type ResultFile, writeResult } from './result-dir.ts';
import { dirName } from './save-comparison.ts';

export const TUNE_FILE = 'tune.json';
export const FRAGMENT_FILE = 'zoo.cfg.fragment';

export function tuneDirName({ startedAt, plan, target, environment, complete }: Tuning): string {
  return dirName(startedAt, `${plan.name}-tune-${target.name}`, environment.commit, complete);
}

/** Into `dir`, which is there with the runs. @throws SaveFailure */
export function saveTuning(tuning: Tuning, dir: string): void {
  writeResult(dir, tuneFiles(tuning), { name: TUNE_FILE, content: jsonText(tuning) }, { own: false });
}

/** All files that are made from it, without `tune.json`. */
export function tuneFiles(tuning: Tuning): ResultFile[] {
  const fragment = zooCfgFragment(tuning);
  return [
    { name: 'summary.md', content: renderTuneSummary(tuning) },
    { name: 'report.html', content: renderTuneReport(tuning) },
    ...(fragment === null ? [] : [{ name: FRAGMENT_FILE, content: fragment }]),
  ];
}

/** Lines for zoo.cfg, with what they are good for; null where the default is as good. */
export function zooCfgFragment(tuning: Tuning): string | null {
  const { best, conclusion, plan, startedAt, environment } = tuning;
  if (conclusion !== 'better' || best === null) return null;
  const lines = [
    ...conclusionText(tuning).split('\n'),
    `Load: ${planLine(plan)}; ${plan.phases.map((phase) => `${phase.name}: ${phaseLine(phase)}`).join('; ')}.`,
    `Measured ${formatInstant(startedAt)} on ${environmentLine(environment)}.`,
  ];
  const settings = Object.entries(best).map(([key, value]) => `${key}=${value}`);
  return `${[...lines.map((line) => `# ${line}`), ...settings].join('\n')}\n`;
}

export function renderTuneSummary(tuning: Tuning): string {
  const { plan, target, objective, parameters, environment } = tuning;
  const fragment = zooCfgFragment(tuning);
  const effects = effectTable(tuning);
  const candidates = candidateTable(tuning);
  const tried = parameters.map(({ key, values }) => `${key} ${values.join(', ')}`).join('; ');
  const lines = [
    `# ${plan.name}: settings of ${target.name} for ${objective}`,
    '',
    `${sentenceOf(plan.description)} Against ${target.description}, ${formatInstant(tuning.startedAt)}. Charts: \`report.html\`.`.trim(),
    '',
    `**${conclusionText(tuning)}**`,
    '',
    ...(fragment === null
      ? []
      : [`Lines for zoo.cfg (\`${FRAGMENT_FILE}\`):`, '', ...codeBlock(settingsLines(tuning))]),
    `${noiseText(tuning)} ${tuneRunsText(tuning)}.`,
    '',
    '## What mattered',
    '',
    'Objective with this value / with the default, all else equal, from all pairs of the search by regression; an interval',
    'without 1 is an effect.',
    '',
    ...tableLines(effects),
    '',
    '## How far settings came',
    '',
    'Mean ratio to runs of the default beside them. The best of many is flattered: the fresh pairs above count.',
    '',
    ...tableLines(candidates),
    '',
    `Tried beside the default: ${tried}.`,
    '',
    `${planLine(plan)}.`,
    '',
    ...plan.phases.map((phase) => `- ${phase.name}: ${phaseLine(phase)}`),
    '',
    `${environmentLine(environment)}.`,
    '',
    ...factLines(environmentFacts(environment)),
    '## Again',
    '',
    ...codeBlock([tuning.command]),
    '`tune.json` has everything (schema in `bench/result/tune-json.ts`), `runs/` each single run.',
  ];
  return `${lines.join('\n')}\n`;
}

function settingsLines({ best }: Tuning): string[] {
  return settingsText(best ?? {}).split(' ');
}
