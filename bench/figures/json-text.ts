/**
 * Results as JSON that people can read and that makes small differences in version control: one key per line, but
 * series and small objects in lines that are filled, not one number per line.
 */

const WIDTH = 160;
const INDENT = '  ';

/** Ends with a line break. Plain data only: what `JSON.stringify` would leave out is left out. */
export function jsonText(value: unknown): string {
  return `${layOut(value, '')}\n`;
}

function layOut(value: unknown, indent: string): string {
  const flat = JSON.stringify(value) ?? 'null';
  if (value === null || typeof value !== 'object' || indent.length + flat.length <= WIDTH) return flat;
  const inner = indent + INDENT;
  if (Array.isArray(value)) {
    if (value.every((item) => item === null || typeof item !== 'object')) return filled(value, indent);
    return `[\n${value.map((item) => inner + layOut(item, inner)).join(',\n')}\n${indent}]`;
  }
  const lines = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${inner}${JSON.stringify(key)}: ${layOut(item, inner)}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

/** As many items in a line as fit. */
function filled(items: readonly unknown[], indent: string): string {
  const inner = indent + INDENT;
  const lines: string[] = [];
  let line = inner;
  items.forEach((item, index) => {
    const text = (JSON.stringify(item) ?? 'null') + (index === items.length - 1 ? '' : ',');
    if (line !== inner && line.length + text.length > WIDTH) {
      lines.push(line);
      line = inner;
    }
    line += text;
  });
  return `[\n${[...lines, line].join('\n')}\n${indent}]`;
}
