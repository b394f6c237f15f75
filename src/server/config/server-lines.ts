/**
 * The `server.<n>` lines of a configuration. This version serves alone, so they matter in two ways only: exactly
 * one is allowed (Apache then runs standalone too), and its tail may carry the client address, as in the
 * configuration that container images generate:
 *
 *   server.1=localhost:2888:3888[:participant][;[[client host]:]client port[;secure part]]
 */
import { ConfigFailure } from '../../base/failure.ts';
import type { SettingValues } from './setting-values.ts';

export interface SoleServer {
  /** From the part behind `;`; null = not given. */
  readonly clientPort: number | null;
  readonly clientPortAddress: string | null;
}

const FORM =
  'allowed: server.<n>=<host>:<quorum port>:<election port>[:participant][;[<client host>:]<client port>]';

/** @throws ConfigFailure when the lines describe an ensemble, or one is malformed. */
export function soleServer(values: SettingValues): SoleServer | null {
  const lines = values.family('server.<n>');
  if (lines.length === 0) return null;
  const line = lines[0]!;
  if (lines.length > 1) {
    throw new ConfigFailure(
      `${lines[1]!.place}: ${lines.length} server lines describe an ensemble, and ensembles are not supported by ` +
        'this version; to run this server alone keep no server line, or one',
    );
  }
  const [quorumPart, clientPart, ...rest] = line.text.split(';');
  const match = /^(\[[^\]]+\]|[^:[\]|]+):(\d{1,5}):(\d{1,5})(?::(\w+))?$/.exec(quorumPart!.trim());
  if (match === null || rest.length > 1)
    throw new ConfigFailure(`${line.place}: ${line.name}=${line.text}: ${FORM}`);
  const role = match[4]?.toLowerCase() ?? 'participant';
  if (role === 'observer') {
    throw new ConfigFailure(
      `${line.place}: ${line.name} is an observer without any participant, and ensembles are not supported by this version`,
    );
  }
  if (role !== 'participant') throw new ConfigFailure(`${line.place}: ${line.name}=${line.text}: ${FORM}`);
  values.notices.info(`${line.place}: ${line.name} alone means standalone: its quorum ports are not used`);
  if (clientPart === undefined || clientPart.trim() === '')
    return { clientPort: null, clientPortAddress: null };
  const client = /^(?:(\[[^\]]+\]|[^:[\]]+):)?(\d{1,5})$/.exec(clientPart.trim());
  const port = Number(client?.[2] ?? Number.NaN);
  if (client === null || !(port <= 65535)) {
    throw new ConfigFailure(`${line.place}: ${line.name}=${line.text}: ${FORM}`);
  }
  return { clientPort: port, clientPortAddress: client[1] ?? null };
}
