/** The configuration reference of the README, made from the defaults table, so that the two cannot disagree. */
import { ConfigFailure } from '../../base/failure.ts';
import { SETTINGS } from './defaults.ts';
import type { Setting } from './setting.ts';

export const REFERENCE_BEGIN = '<!-- config:begin -->';
export const REFERENCE_END = '<!-- config:end -->';

/** Markdown: one table of what is obeyed, one list by reason of what is not. */
export function configReference(): string {
  const rows = SETTINGS as readonly Setting[];
  const obeyed = rows.filter((row) => row.status === 'supported');
  const inEnsembles = rows.filter((row) => row.status === 'ensemble');
  const lines = [
    'Every key may also be written as its Java property (`zookeeper.snapCount` for `snapCount`), in the file or with `--set`.',
    '',
    '| Key | Type | Default | Effect |',
    '|---|---|---|---|',
    ...obeyed.map(tableRow),
    '',
    'In an ensemble only (alone, one line at start-up says that it has no effect):',
    '',
    '| Key | Type | Default | Effect |',
    '|---|---|---|---|',
    ...inEnsembles.map(tableRow),
  ];
  for (const [status, title] of OTHER_STATUSES) {
    lines.push('', title, '');
    const reasons = Map.groupBy(
      rows.filter((row) => row.status === status),
      (row) => row.effect,
    );
    for (const [reason, group] of reasons) {
      lines.push(`- ${reason}: ${group.map((row) => `\`${row.key}\``).join(', ')}`);
    }
  }
  return lines.join('\n');
}

/** @throws ConfigFailure when the document has no place for the reference. */
export function withConfigReference(document: string): string {
  const begin = document.indexOf(REFERENCE_BEGIN);
  const end = document.indexOf(REFERENCE_END);
  if (begin < 0 || end < begin) {
    throw new ConfigFailure(
      `the document has no lines ${REFERENCE_BEGIN} and ${REFERENCE_END} to put the reference between`,
    );
  }
  return `${document.slice(0, begin)}${REFERENCE_BEGIN}\n\n${configReference()}\n\n${document.slice(end)}`;
}

const OTHER_STATUSES = [
  ['accepted', 'Read without effect (one line at start-up):'],
  ['unsupported', 'Not supported (one warning at start-up):'],
  ['refused', 'Any value but the default ends start-up, because going on would be less safe than asked for:'],
] as const;

function tableRow(row: Setting): string {
  const unit = row.unit === '' ? '' : ` ${row.unit}`;
  const fallback = row.fallback === null || row.fallback === '' ? '' : `\`${row.fallback}\`${unit}`;
  return `| \`${row.key}\` | ${TYPE_NAMES[row.type]} | ${fallback} | ${row.effect} |`;
}

const TYPE_NAMES: Readonly<Record<Setting['type'], string>> = {
  int: 'number',
  long: 'number',
  decimal: 'number',
  port: 'port',
  bool: 'true/false',
  switch: 'true/false',
  'yes-no': 'yes/no',
  path: 'path',
  text: 'text',
  secret: 'text',
  list: 'list',
  duration: 'time',
};
