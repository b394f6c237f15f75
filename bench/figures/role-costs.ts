/**
 * CPU per request by role, for sweeps over sizes: what a leader does for each request grows with its followers, what one
 * follower does need not. Per request that the whole service answered, whoever answered it.
 */
import { mean, median } from 'simple-statistics';
import type { Sweep } from '../result/compare-json.ts';
import type { PhaseResult, ServerPart } from '../result/run-json.ts';
import { formatMicros, MISSING, orMissing } from './format.ts';
import type { TextTable } from './run-tables.ts';
import { axisName, phaseNames, sizeAxis } from './sweep-figures.ts';

const ROLES = ['leader', 'follower', 'observer'] as const;
type Role = (typeof ROLES)[number];

/** One row per point of several servers and phase: medians of the replicates. */
export function roleTable(sweep: Sweep): TextTable {
  const rows = sweep.points.flatMap(({ at, runs }) =>
    phaseNames(sweep).flatMap((phase) => {
      const results = runs.flatMap(({ phases }) => phases.filter(({ plan }) => plan.name === phase));
      const cells = ROLES.map((role) => {
        const costs = results.flatMap((result) => roleMicros(result, role) ?? []);
        return costs.length === 0 ? MISSING : formatMicros(median(costs));
      });
      const all = results.flatMap(({ server }) => server?.cpuMicrosPerOp ?? []);
      const sum = orMissing(all.length === 0 ? null : median(all), formatMicros);
      return cells.every((cell) => cell === MISSING) ? [] : [[...at.map(String), phase, ...cells, sum]];
    }),
  );
  if (sizeAxis(sweep) < 0 || rows.length === 0) return { head: [], rows: [] };
  const places = sweep.axes.map(({ path }) => axisName(path));
  return { head: [...places, 'phase', 'leader, us/op', 'a follower', 'an observer', 'all servers'], rows };
}

/** Mean over the servers that had this role all the time; null where none had, or where nothing was answered. */
export function roleMicros({ servers = [], throughputPerSecond }: PhaseResult, role: Role): number | null {
  const cores = servers.filter((server) => wasAlways(server, role)).flatMap(({ cpuCores }) => cpuCores ?? []);
  if (cores.length === 0 || throughputPerSecond <= 0) return null;
  return (mean(cores) * 1e6) / throughputPerSecond;
}

/** A server under full load may miss a question or two. */
function wasAlways({ roles }: ServerPart, role: Role): boolean {
  const told = roles.flatMap((span) => span.role ?? []);
  return told.length > 0 && told.every((one) => one === role);
}
