/** The tables of `bench availability`, for text and page alike. */
import { formatMs, MISSING, orMissing, plural } from '../figures/format.ts';
import type { TextTable } from '../figures/run-tables.ts';
import { bootstrapMedian } from '../stats/bootstrap.ts';
import { monthlyAvailability, type Spread, spreadOf } from './fault-figures.ts';
import type { InjectedFault, TargetUnderFaults } from './measure-faults.ts';

/** What clients need; probes that stay with one server say more of it than of the service. */
export const CLASSES = {
  write: 'write',
  read: 'local read',
  freshRead: 'sync + read',
  session: 'new session',
} as const;

export function classTable({ faults, availability }: TargetUnderFaults, faultsPerMonth: number): TextTable {
  const rows = Object.entries(CLASSES).flatMap(([name, label]) => {
    const summary = availability.classes[name];
    if (summary === undefined) return [];
    const meanDownMs = faults.reduce((sum, { costs }) => sum + costs[name]!.downMs, 0) / faults.length;
    return [
      [
        label,
        percent(summary.byTime),
        orMissing(summary.byCount, percent),
        `${formatMs(summary.longestOutageMs)} ms`,
        ...['1000', '10000', '60000'].map((length) => orMissing(summary.worstWindow[length], percent)),
        `${(100 * monthlyAvailability(meanDownMs, faultsPerMonth)).toFixed(5)} %`,
      ],
    ];
  });
  return {
    head: [
      ...['class', 'up / time', 'ok / probes', 'longest outage', 'worst 1 s', 'worst 10 s', 'worst 60 s'],
      `a month, ${plural(faultsPerMonth, 'fault')}`,
    ],
    rows,
  };
}

export function downTable({ faults }: TargetUnderFaults): TextTable {
  const rows = [...byFault(faults)].flatMap(([fault, ofKind]) =>
    Object.entries(CLASSES).map(([name, label]) => {
      const costs = ofKind.map((one) => one.costs[name]!);
      const first = spreadOf(costs.flatMap(({ firstFailureMs }) => firstFailureMs ?? []));
      const down = spreadOf(costs.map(({ downMs }) => downMs));
      return [
        ...[fault, String(ofKind.length), label],
        ...[part(first, 'median'), part(down, 'min'), part(down, 'median')],
        ...[medianInterval(costs.map(({ downMs }) => downMs)), part(down, 'max')],
      ];
    }),
  );
  return {
    head: ['fault', 'n', 'class', 'first failure, ms', 'down, ms: min', 'median', '95 % of it', 'max'],
    rows,
  };
}

/** What clients with a load saw, and how long the election took: the medians, and the worst. */
export function loadTable({ faults }: TargetUnderFaults): TextTable {
  const rows = [...byFault(faults)].map(([fault, ofKind]) => {
    const loads = ofKind.flatMap(({ load }) => load ?? []);
    const never = loads.filter(({ to95Ms }) => to95Ms === null).length;
    const to95 = spreadOf(loads.flatMap(({ to95Ms }) => to95Ms ?? []));
    const lost = spreadOf(loads.map(({ lostSeconds }) => lostSeconds));
    const election = electionOf(ofKind);
    return [
      fault,
      ...[part(election, 'median'), part(election, 'max')],
      ...[part(to95, 'median'), never > 0 ? `not again: ${never}` : part(to95, 'max')],
      ...[part(lost, 'median', 2), part(lost, 'max', 2)],
      part(spreadOf(loads.map(({ connectionsLost }) => connectionsLost)), 'max'),
      part(spreadOf(loads.map(({ sessionsExpired }) => sessionsExpired)), 'max'),
    ];
  });
  return {
    head: [
      ...['fault', 'election, ms: median', 'max', 'to 95 % of goodput, ms: median', 'max'],
      ...['lost, s of load: median', 'max', 'connections lost, max', 'sessions expired, max'],
    ],
    rows,
  };
}

/** Targets beside each other, each cell `median (max)`; all had the same faults. */
export function sideBySide(results: readonly TargetUnderFaults[]): TextTable {
  const faults = new Set(results.flatMap((result) => [...byFault(result.faults).keys()]));
  const rows = [...faults].map((fault) => {
    const perTarget = results.map((result) => byFault(result.faults).get(fault) ?? []);
    const cells = (of: (ofKind: readonly InjectedFault[]) => Spread | null, digits = 0): string[] =>
      perTarget.map((ofKind) =>
        orMissing(of(ofKind), ({ median, max }) => `${median.toFixed(digits)} (${max.toFixed(digits)})`),
      );
    return [
      fault,
      ...cells((ofKind) => spreadOf(ofKind.map(({ costs }) => costs['write']!.downMs))),
      ...cells((ofKind) => spreadOf(ofKind.flatMap(({ load }) => load?.lostSeconds ?? [])), 2),
      ...cells(electionOf),
    ];
  });
  const of = (measure: string): string[] => results.map(({ target }) => `${measure}: ${target}`);
  return { head: ['fault', ...of('writes down, ms'), ...of('lost, s of load'), ...of('election, ms')], rows };
}

export function byFault(faults: readonly InjectedFault[]): Map<string, InjectedFault[]> {
  return Map.groupBy(faults, ({ name }) => name);
}

/** How well the median is known. */
function medianInterval(values: readonly number[]): string {
  if (values.length < 2) return MISSING;
  const { low, high } = bootstrapMedian(values);
  return `${low.toFixed(0)} to ${high.toFixed(0)}`;
}

function electionOf(faults: readonly InjectedFault[]): Spread | null {
  return spreadOf(faults.flatMap(({ electionMs }) => electionMs ?? []));
}

function part(spread: Spread | null, key: keyof Spread, digits = 0): string {
  return orMissing(spread, (value) => value[key].toFixed(digits));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(3)} %`;
}
