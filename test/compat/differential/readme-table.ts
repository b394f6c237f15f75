/** The table of deliberate differences as the README quotes it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DELIBERATE_DIFFERENCES } from './deliberate.ts';

export const README_FILE = join(import.meta.dirname, '../../../README.md');
const BEGIN = '<!-- differences:begin -->';
const END = '<!-- differences:end -->';

function differencesTable(): string {
  const rows = DELIBERATE_DIFFERENCES.map((row) => `| ${row.what} | ${row.apache} | ${row.ringkeeper} |`);
  return ['| request | Apache 3.8.0 | ringkeeper |', '|---|---|---|', ...rows].join('\n');
}

/** The README with its table replaced by today's. */
export function readmeWithTable(readme = readFileSync(README_FILE, 'utf8')): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md has no lines ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin)}${BEGIN}\n\n${differencesTable()}\n\n${readme.slice(end)}`;
}
