/** A sweep of services: what its columns mean, throughput by size in sentences, and its services side by side. */
import type { Sweep } from '../result/compare-json.ts';
import { formatRate, formatRatio, MISSING, plural } from './format.ts';
import type { TextTable } from './run-tables.ts';
import {
  axisName,
  phaseNames,
  SERVICE_AXIS,
  type SweptMetric,
  sizeAxis,
  spreadAt,
  sweepCurves,
} from './sweep-figures.ts';

/** What the columns of a sweep of services mean, in sentences. */
export function servicesNotes(sweep: Sweep): string[] {
  if (sizeAxis(sweep) < 0) return [];
  const { cpuCount } = sweep.environment;
  return [
    'server CPU: of all servers of the ensemble together, per answered request',
    `limit: what was at its end. All servers and the load share ${plural(cpuCount, 'core')} here: with more servers there ` +
      'is less for each',
    'a core each: throughput / cores of the server that used most: what the same work per request allows where each server has ' +
      'one core of its own and the load runs elsewhere. Arithmetic, not measured: no network, no disk, one core',
  ];
}

/** Throughput by size, in a sentence per phase and service: `reads, apache: 1: 300,000 /s; 3: 240,000 /s`. */
export function sizeSentences(sweep: Sweep): string[] {
  if (sizeAxis(sweep) !== 0) return [];
  return phaseNames(sweep).flatMap((phase) =>
    sweepCurves(sweep, 'throughput', phase).map(({ label, points }) => {
      const figures = points.map(({ at, spread }) => `${at}: ${formatRate(spread.median)}`);
      return `${[phase, ...(label === '' ? [] : [label])].join(', ')}: ${figures.join('; ')}`;
    }),
  );
}

const SIDE_BY_SIDE: readonly (readonly [metric: SweptMetric, title: string])[] = [
  ['throughput', 'throughput'],
  ['p99', 'p99'],
  ['serverCpuPerOp', 'server CPU per request'],
];

/**
 * The first service as a multiple of each other one, at every point and phase: medians of the replicates. No verdict: without
 * pairs nothing is known of how far such ratios move (bench compare).
 */
export function servicesTable(sweep: Sweep): TextTable {
  const axis = sweep.axes.findIndex(({ path }) => path === SERVICE_AXIS);
  if (axis < 0) return { head: [], rows: [] };
  const [own, ...others] = sweep.axes[axis]!.values;
  const placeOf = (at: readonly (number | string)[]): string => JSON.stringify(at.toSpliced(axis, 1));
  const pointAt = (service: number | string, place: string) =>
    sweep.points.find(({ at }) => at[axis] === service && placeOf(at) === place);
  const rows = sweep.points
    .filter(({ at }) => at[axis] === own)
    .flatMap((point) =>
      others.flatMap((service) => {
        const other = pointAt(service, placeOf(point.at));
        if (other === undefined) return [];
        return phaseNames(sweep).map((phase) => [
          ...point.at.toSpliced(axis, 1).map(String),
          phase,
          `${own} / ${service}`,
          ...SIDE_BY_SIDE.map(([metric]) => {
            const a = spreadAt(point, phase, metric)?.median;
            const b = spreadAt(other, phase, metric)?.median;
            return a === undefined || b === undefined || b === 0 ? MISSING : formatRatio(a / b);
          }),
        ]);
      }),
    );
  const places = sweep.axes.toSpliced(axis, 1).map(({ path }) => axisName(path));
  return { head: [...places, 'phase', 'ratio', ...SIDE_BY_SIDE.map(([, title]) => title)], rows };
}
