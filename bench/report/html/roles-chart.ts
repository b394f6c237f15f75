/**
 * Roles over time, one row per server: the line is up while the server says that it leads, and the stretch is red while it
 * does not answer.
 *
 *     server 1: follower; leader from 3.2 s    leads  ........┌────────
 *     server 2: leader; no answer from 2.1 s          ───────┘▒▒▒▒▒▒▒▒▒
 */
import { hasRoleChanges, rolesText, serverTable } from '../../figures/server-table.ts';
import type { PhaseResult, ServerPart } from '../../result/run-json.ts';
import { band, type Chart, type Json, type JsonObject, line } from './chart.ts';
import { phaseEndMs, type TimeRow, timeRows } from './time-axis.ts';

const ROW_PX = 26;
const LEADS: ReadonlySet<string | null> = new Set(['leader', 'standalone']);

/** Null where there is one server. */
export function rolesChart(phase: PhaseResult): Chart | null {
  const { servers = [], plan } = phase;
  if (servers.length === 0) return null;
  const rows = servers.map(
    ({ name, roles }): TimeRow => ({
      axis: { name: `${name}: ${rolesText(roles)}`, format: 'leads', min: 0, max: 1, ticks: [0, 1] },
      heightPx: ROW_PX,
    }),
  );
  const endS = phaseEndMs(phase) / 1000;
  const changed = hasRoleChanges(servers) ? 'roles changed' : 'no role changed';
  return {
    title: 'Roles of the servers',
    note: 'Up: the server says that it leads. Red: it did not answer, or served nobody. Asked once a second.',
    summary: `Roles of phase ${plan.name}: ${changed}.`,
    ...timeRows(
      phase,
      rows,
      servers.map((server, index) => rowSeries(server, endS, index)),
      [],
    ),
    table: serverTable([phase]),
    group: plan.name,
  };
}

function rowSeries({ name, roles }: ServerPart, endS: number, index: number): JsonObject {
  const points: Json[] = [];
  const silent: Json[] = [];
  for (const [at, { fromMs, role }] of roles.entries()) {
    const fromS = fromMs / 1000;
    const toS = at + 1 < roles.length ? roles[at + 1]!.fromMs / 1000 : endS;
    const level = LEADS.has(role) ? 1 : 0;
    points.push([fromS, level], [toS, level]);
    if (role === null) silent.push(band(fromS, toS, { color: 'var(--bad)', opacity: 0.28 }));
  }
  return line({
    name,
    color: 'var(--s1)',
    data: points,
    format: 'leads',
    width: 2,
    parts: {
      xAxisIndex: index,
      yAxisIndex: index,
      areaStyle: { color: 'var(--s1)', opacity: 0.16 },
      markArea: { silent: true, data: silent },
    },
  });
}
