/** Tables and text of the Markdown files. */

import { isTextColumn, type TextTable } from './run-tables.ts';

/** First column left, the others right. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: (column: number) => 'left' | 'right' = (column) => (column === 0 ? 'left' : 'right'),
): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(cellText).join(' | ')} |`;
  const rule = head.map((_, column) => (align(column) === 'left' ? ':---' : '---:'));
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)];
}

export function codeBlock(lines: readonly string[]): string[] {
  return ['```', ...lines, '```', ''];
}

/** A bar or a line break would end the cell. */
function cellText(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** A table whose columns of text are left and whose figures are right. */
export function tableLines(table: TextTable): string[] {
  return markdownTable(table.head, table.rows, (column) => (isTextColumn(table, column) ? 'left' : 'right'));
}

/** `- name: text` per fact and an empty line, or nothing. */
export function factLines(facts: readonly (readonly [name: string, text: string])[]): string[] {
  return facts.length === 0 ? [] : [...facts.map(([name, text]) => `- ${name}: ${text}`), ''];
}
