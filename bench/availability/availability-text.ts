/** The tables of `bench availability`, as Markdown. */
import { formatMs, orMissing, plural } from '../figures/format.ts';
import { markdownTable } from '../figures/markdown.ts';
import { monthlyAvailability, type Spread, spreadOf } from './fault-figures.ts';
import type { InjectedFault, TargetUnderFaults } from './measure-faults.ts';

/** What clients need; probes that stay with one server say more of it than of the service. */
const CLASSES = {
  write: 'write',
  read: 'local read',
  freshRead: 'sync + read',
  session: 'new session',
} as const;

export function availabilityLines(results: readonly TargetUnderFaults[], faultsPerMonth: number): string[] {
  return [
    '# Availability under faults',
    '',
    ...results.flatMap((result) => targetLines(result, faultsPerMonth)),
  ];
}

function targetLines(result: TargetUnderFaults, faultsPerMonth: number): string[] {
  const { target, totalMs, faults, availability, acknowledged, missing } = result;
  const kept =
    missing.length === 0
      ? `${plural(acknowledged, 'acknowledged write')}: every server shows all of them.`
      : `**LOST: of ${plural(acknowledged, 'acknowledged write')}, ${missing.slice(0, 10).join(', ')}** (${missing.length} in all)`;
  return [
    `## ${target}`,
    '',
    `${plural(faults.length, 'fault')} in ${(totalMs / 1000).toFixed(0)} s, one at a time. ${kept}`,
    '',
    ...markdownTable(
      [
        'class',
        'up / time',
        'ok / probes',
        'longest outage',
        'worst 1 s',
        'worst 10 s',
        `a month, ${plural(faultsPerMonth, 'fault')}`,
      ],
      Object.entries(CLASSES).flatMap(([name, label]) => {
        const summary = availability.classes[name];
        if (summary === undefined) return [];
        const meanDownMs = faults.reduce((sum, { costs }) => sum + costs[name]!.downMs, 0) / faults.length;
        return [
          [
            label,
            percent(summary.byTime),
            orMissing(summary.byCount, percent),
            `${formatMs(summary.longestOutageMs)} ms`,
            orMissing(summary.worstWindow['1000'], percent),
            orMissing(summary.worstWindow['10000'], percent),
            `${(100 * monthlyAvailability(meanDownMs, faultsPerMonth)).toFixed(5)} %`,
          ],
        ];
      }),
    ),
    '',
    ...markdownTable(
      ['fault', 'n', 'class', 'first failure, ms', 'down, ms: min', 'median', 'max'],
      [...byFault(faults)].flatMap(([fault, ofKind]) =>
        Object.entries(CLASSES).map(([name, label]) => costRow(fault, label, name, ofKind)),
      ),
    ),
    '',
    ...loadTable(faults),
  ];
}

/** What clients with a load saw, and how long the election took: the medians, and the worst of what lasts. */
function loadTable(faults: readonly InjectedFault[]): string[] {
  const rows = [...byFault(faults)].map(([fault, ofKind]) => {
    const loads = ofKind.flatMap(({ load }) => load ?? []);
    const [election, to95, lost, connections, sessions] = [
      ofKind.flatMap(({ electionMs }) => electionMs ?? []),
      loads.flatMap(({ to95Ms }) => to95Ms ?? []),
      loads.map(({ lostSeconds }) => lostSeconds),
      loads.map(({ connectionsLost }) => connectionsLost),
      loads.map(({ sessionsExpired }) => sessionsExpired),
    ].map(spreadOf);
    const never = loads.filter(({ to95Ms }) => to95Ms === null).length;
    return [
      fault,
      ...[part(election, 'median'), part(election, 'max')],
      ...[part(to95, 'median'), never > 0 ? `not again: ${never}` : part(to95, 'max')],
      ...[part(lost, 'median', 2), part(lost, 'max', 2)],
      ...[part(connections, 'max'), part(sessions, 'max')],
    ];
  });
  return [
    ...markdownTable(
      [
        ...['fault', 'election, ms: median', 'max', 'to 95 % of goodput, ms: median', 'max'],
        ...['lost, s of load: median', 'max', 'connections lost, max', 'sessions expired, max'],
      ],
      rows,
    ),
    '',
  ];
}

function byFault(faults: readonly InjectedFault[]): Map<string, InjectedFault[]> {
  return Map.groupBy(faults, ({ kind, victim }) => `${kind} ${victim}`);
}

function costRow(fault: string, label: string, name: string, faults: readonly InjectedFault[]): string[] {
  const costs = faults.map((one) => one.costs[name]!);
  const first = spreadOf(
    costs.flatMap(({ firstFailureMs }) => (firstFailureMs === null ? [] : [firstFailureMs])),
  );
  const down = spreadOf(costs.map(({ downMs }) => downMs));
  return [
    fault,
    String(faults.length),
    label,
    part(first, 'median'),
    part(down, 'min'),
    part(down, 'median'),
    part(down, 'max'),
  ];
}

function part(spread: Spread | null | undefined, key: keyof Spread, digits = 0): string {
  return orMissing(spread, (value) => value[key].toFixed(digits));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(3)} %`;
}
