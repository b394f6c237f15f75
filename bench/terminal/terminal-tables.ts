/** Tables on a terminal, and the few colours. A table that is wider than the terminal is cut into several. */
import Table from 'cli-table3';

export interface TerminalStyle {
  /** Of the terminal; tables and charts keep within it. */
  readonly columns: number;
  readonly color: boolean;
}

/** The usual width, where none is known. */
export const DEFAULT_COLUMNS = 100;
const COLUMNS_MIN = 40;

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
export type Look = keyof typeof CODES;

export function styled(text: string, look: Look, { color }: TerminalStyle): string {
  return color ? `\u001b[${CODES[look]}m${text}\u001b[0m` : text;
}

/**
 * First column left, the others right. As many columns in a table as fit; the first column begins each of them.
 */
export function terminalTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  style: TerminalStyle,
): string {
  const room = Math.max(COLUMNS_MIN, style.columns);
  return columnGroups(head, rows, room)
    .map((group) =>
      oneTable(
        group.map((column) => head[column]!),
        rows.map((row) => group.map((column) => row[column] ?? '')),
      ),
    )
    .join('\n');
}

function oneTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

/** Column numbers per table: the first one, then as many as fit, at least one. */
function columnGroups(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  room: number,
): number[][] {
  const width = (column: number): number =>
    3 + Math.max(head[column]!.length, ...rows.map((row) => visibleLength(row[column] ?? '')));
  const groups: number[][] = [[0]];
  let used = width(0) + 1;
  for (let column = 1; column < head.length; column++) {
    const group = groups[groups.length - 1]!;
    if (group.length > 1 && used + width(column) > room) {
      groups.push([0, column]);
      used = width(0) + 1 + width(column);
    } else {
      group.push(column);
      used += width(column);
    }
  }
  return groups;
}

function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal codes begin with one
  return text.replace(/\u001b\[\d+m/g, '').length;
}
