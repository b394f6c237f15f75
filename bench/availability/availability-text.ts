/** `bench availability` as Markdown. */
import { plural } from '../figures/format.ts';
import { tableLines } from '../figures/markdown.ts';
import { classTable, downTable, loadTable, sideBySide } from './fault-tables.ts';
import type { TargetUnderFaults } from './measure-faults.ts';

export function availabilityLines(results: readonly TargetUnderFaults[], faultsPerMonth: number): string[] {
  const beside = results.length < 2 ? [] : [...tableLines(sideBySide(results)), '', MEDIANS, ''];
  return [
    '# Availability under faults',
    '',
    ...beside,
    ...results.flatMap((result) => targetLines(result, faultsPerMonth)),
  ];
}

const MEDIANS = 'Each cell: the median of all faults of a kind, and the worst in brackets.';

/** Whether the figures are those of a service that kept its promises. */
export function proofText({ acknowledged, missing }: TargetUnderFaults): string {
  const writes = plural(acknowledged, 'acknowledged write');
  return missing.length === 0
    ? `${writes}: every server shows all of them.`
    : `LOST: of ${writes}, ${missing.slice(0, 10).join(', ')} (${missing.length} in all)`;
}

/** Above this, the longest outages may be the engine's. */
const LAG_MS_MAX = 100;

export function lagText({ lagMsMax }: TargetUnderFaults): string {
  const late = `The engine sent its probes up to ${lagMsMax.toFixed(0)} ms late`;
  return lagMsMax <= LAG_MS_MAX
    ? `${late}.`
    : `${late}: this machine was busy with something else, and short outages may be its own.`;
}

function targetLines(result: TargetUnderFaults, faultsPerMonth: number): string[] {
  const { target, totalMs, faults, missing } = result;
  const proof = missing.length === 0 ? proofText(result) : `**${proofText(result)}**`;
  const tables = [classTable(result, faultsPerMonth), downTable(result), loadTable(result)];
  return [
    `## ${target}`,
    '',
    `${plural(faults.length, 'fault')} in ${(totalMs / 1000).toFixed(0)} s, one after the other. ${proof} ${lagText(result)}`,
    '',
    ...tables.flatMap((table) => [...tableLines(table), '']),
  ];
}
