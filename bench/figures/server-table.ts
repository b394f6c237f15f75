/**
 * The servers of an ensemble, each beside the sums: who led, who followed and since when, what each had of the load and what it
 * took for it.
 */
import type { PhaseResult, RoleSpan, ServerPart } from '../result/run-json.ts';
import { formatCount, formatMiB, formatMs, formatRate, orMissing } from './format.ts';
import type { TextTable } from './run-tables.ts';

export const SERVERS_NOTE =
  'Connections and replies are those of the load; CPU of the whole process. Roles as each server told them, once a second.';

/** One row per server and phase; none for a service of one server. */
export function serverTable(phases: readonly PhaseResult[]): TextTable {
  const rows = phases.flatMap(({ plan, servers = [] }) =>
    servers.map((server) => [
      plan.name,
      server.name,
      rolesText(server.roles),
      orMissing(server.connections, formatCount),
      orMissing(server.answeredPerSecond, formatRate),
      orMissing(server.cpuCores, (cores) => cores.toFixed(2)),
      orMissing(server.rssBytes, formatMiB),
      orMissing(server.packetsReceived, formatCount),
      orMissing(server.fsyncMeanMs, formatMs),
    ]),
  );
  const head = ['phase', 'server', 'role', 'connections', 'replies', 'CPU, cores', 'RSS'];
  return { head: [...head, 'packets received', 'log sync, ms'], rows };
}

/** `follower`, or `follower; leader from 3.2 s`. */
export function rolesText(roles: readonly RoleSpan[]): string {
  if (roles.length === 0) return 'not asked';
  return roles
    .map(({ fromMs, role }, at) => {
      const name = role ?? 'no answer';
      return at === 0 ? name : `${name} from ${(fromMs / 1000).toFixed(1)} s`;
    })
    .join('; ');
}

/** Some server had another role at the end than at the beginning, or was silent in between. */
export function hasRoleChanges(servers: readonly ServerPart[]): boolean {
  return servers.some(({ roles }) => roles.length > 1);
}
