/**
 * The picture of a write's way as an SVG file that a README can show: one bar per load with the stages to scale, and
 * below it each stage with its microseconds. Colours follow the reader's light or dark setting; no script, no font file.
 *
 *     8 clients, one write each at a time: 430 µs
 *     [ to and fro | prepare | wait | write | fdatasync ............ | commit | rest ]
 *      o network and io  60 µs 14 %        o fdatasync  250 µs 58 %
 */
import { formatCount, formatMicros } from '../../figures/format.ts';
import { escapeHtml } from '../../report/html/markup.ts';
import type { PathStage, StageKey, WritePath } from './path.ts';

export interface PictureLoad {
  readonly title: string;
  readonly path: WritePath;
}

const WIDTH = 860;
const MARGIN = 20;
const BAR_HEIGHT = 34;
const ROW_HEIGHT = 22;
const ROWS = 4;
const BLOCK_HEIGHT = 34 + BAR_HEIGHT + 14 + ROWS * ROW_HEIGHT + 20;
const HEAD_HEIGHT = 44;
const FOOT_HEIGHT = 46;
/** Narrower segments have their figure in the rows below only. */
const LABEL_MIN_PX = 58;

/** As the reports have them: style.ts. */
const COLORS: Readonly<Record<StageKey, readonly [light: string, dark: string]>> = {
  toAndFro: ['#51708f', '#9cb6d0'],
  prepare: ['#17866a', '#4fc3a1'],
  wait: ['#a87a00', '#dcb548'],
  append: ['#8550b5', '#c49bea'],
  write: ['#1f6fb5', '#6cb2f0'],
  sync: ['#cf5d0b', '#f39a55'],
  commit: ['#687a14', '#b5c45a'],
  unexplained: ['#ccd3da', '#3a434c'],
};

export function renderPicture(loads: readonly PictureLoad[]): string {
  const height = HEAD_HEIGHT + loads.length * BLOCK_HEIGHT + FOOT_HEIGHT;
  const blocks = loads.map((load, index) => block(load, HEAD_HEIGHT + index * BLOCK_HEIGHT));
  const description = loads.map(({ title, path }) => `${title}: ${described(path)}`).join('. ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t d">
<title id="t">Where one write spends its microseconds</title>
<desc id="d">${escapeHtml(description)}.</desc>
<style>${style()}</style>
<rect class="paper" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<text class="head" x="${MARGIN}" y="32">Where one write spends its microseconds</text>
${blocks.join('\n')}
<text class="small" x="${MARGIN}" y="${height - 26}">Means; each bar has its own scale. Stages by the server's meters; the waiting is the rest of its time until the log is durable.</text>
<text class="small" x="${MARGIN}" y="${height - 11}">Network and io: what reads take on the same connections. What no meter saw is left unexplained.</text>
</svg>
`;
}

function block({ title, path }: PictureLoad, top: number): string {
  const shown = path.stages.filter(({ micros }) => micros !== null && micros > 0);
  const total = shown.reduce((sum, { micros }) => sum + micros!, 0);
  const scale = total === 0 ? 0 : (WIDTH - 2 * MARGIN) / total;
  const barTop = top + 34;
  let x = MARGIN;
  const segments = shown.map(({ key, micros }) => {
    const width = micros! * scale;
    const label =
      width < LABEL_MIN_PX
        ? ''
        : `<text class="in${key === 'unexplained' ? ' rest' : ''}" x="${(x + width / 2).toFixed(1)}" y="${barTop + 22}">${microsText(micros!)}</text>`;
    const segment = `<rect class="${key}" x="${x.toFixed(1)}" y="${barTop}" width="${Math.max(0.5, width - 1).toFixed(1)}" height="${BAR_HEIGHT}"/>${label}`;
    x += width;
    return segment;
  });
  const rows = path.stages.map((stage, index) =>
    row(stage, path.clientMicros, index, barTop + BAR_HEIGHT + 14),
  );
  return `<text class="title" x="${MARGIN}" y="${top + 22}">${escapeHtml(title)}: ${microsText(path.clientMicros)}</text>
${segments.join('\n')}
${rows.join('\n')}`;
}

/** Two columns, downwards. */
function row({ key, name, micros }: PathStage, clientMicros: number, index: number, top: number): string {
  const column = (WIDTH - 2 * MARGIN) / 2;
  const x = MARGIN + Math.floor(index / ROWS) * column;
  const y = top + (index % ROWS) * ROW_HEIGHT + 14;
  const right = x + column - 24;
  const share = micros === null ? '' : shareText(micros / clientMicros);
  const figure = micros === null ? 'not measured' : microsText(micros);
  return (
    `<rect class="${key}" x="${x}" y="${y - 10}" width="11" height="11" rx="2"/>` +
    `<text class="row" x="${x + 19}" y="${y}">${escapeHtml(name)}</text>` +
    `<text class="row figure" x="${right - 48}" y="${y}">${figure}</text>` +
    `<text class="row figure quiet" x="${right}" y="${y}">${share}</text>`
  );
}

function shareText(share: number): string {
  return share > 0 && share < 0.01 ? '&lt; 1 %' : `${(share * 100).toFixed(0)} %`;
}

function described(path: WritePath): string {
  const parts = path.stages.map(
    ({ name, micros }) => `${name} ${micros === null ? 'not measured' : microsText(micros)}`,
  );
  return `${microsText(path.clientMicros)} in all, of which ${parts.join(', ')}`;
}

function microsText(micros: number): string {
  return `${Math.abs(micros) >= 1000 ? formatCount(micros) : formatMicros(micros)} µs`;
}

function style(): string {
  const fills = (theme: 0 | 1): string =>
    Object.entries(COLORS)
      .map(([key, colors]) => `.${key}{fill:${colors[theme]}}`)
      .join('');
  return (
    'text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#1a2027;font-size:13px}' +
    '.head{font-size:18px;font-weight:650}.title{font-size:14px;font-weight:600}.in{fill:#fff;text-anchor:middle;font-weight:600}' +
    '.rest{fill:#1a2027}.figure{text-anchor:end;font-variant-numeric:tabular-nums}.quiet,.small{fill:#5a6673}.small{font-size:11.5px}' +
    `.paper{fill:#fff;stroke:#ccd3da}${fills(0)}` +
    '@media(prefers-color-scheme:dark){text{fill:#e3e8ed}.in{fill:#14181c}.rest{fill:#e3e8ed}.quiet,.small{fill:#9ba7b3}' +
    `.paper{fill:#14181c;stroke:#3a434c}${fills(1)}}`
  );
}
