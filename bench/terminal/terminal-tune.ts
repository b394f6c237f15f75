/** A search for better settings on a terminal. */
import { environmentLine, planLine } from '../figures/describe.ts';
import {
  candidateLines,
  conclusionText,
  effectTable,
  noiseText,
  tuneRunsText,
} from '../figures/tune-figures.ts';
import type { Tuning } from '../result/tune-json.ts';
import { DEFAULT_COLUMNS, styled, type TerminalStyle, terminalTable } from './terminal-tables.ts';

const PLAIN: TerminalStyle = { columns: DEFAULT_COLUMNS, color: false };

export function renderTuning(tuning: Tuning, style: TerminalStyle = PLAIN): string {
  const effects = effectTable(tuning);
  const candidates = candidateLines(tuning);
  const look = tuning.conclusion === 'better' ? 'green' : 'yellow';
  return [
    styled(
      `${tuning.plan.name} against ${tuning.target.description}, for ${tuning.objective}`,
      'bold',
      style,
    ),
    'What mattered (objective with this value / with the default, all else equal):',
    ...(effects.rows.length === 0
      ? ['nothing is known']
      : [terminalTable(effects.head, effects.rows, style)]),
    'How far settings came, mean ratio to the default in so many pairs:',
    ...(candidates.length === 0 ? ['none'] : candidates),
    styled(conclusionText(tuning), look, style),
    styled(`${noiseText(tuning)} ${tuneRunsText(tuning)}.`, 'dim', style),
    styled(planLine(tuning.plan), 'dim', style),
    styled(environmentLine(tuning.environment), 'dim', style),
  ].join('\n');
}
