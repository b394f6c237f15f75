/** The flags of `ringkeeper ensemble`, checked: what its user wants, as plain values. */
import { ConfigFailure } from '../../base/failure.ts';
import { LOG_LEVELS } from '../../server/config/server-config.ts';

export interface EnsembleFlags {
  readonly size: number;
  readonly observers: number;
  readonly kind: string;
  readonly clientPort?: number;
  readonly dataDir?: string;
  readonly logLevel?: string;
  readonly set: readonly string[];
}

export const ENSEMBLE_KINDS = ['ringkeeper', 'apache', 'mixed'] as const;
type EnsembleKind = (typeof ENSEMBLE_KINDS)[number];

/** More are a benchmark of the scheduler. */
const SERVERS_MAX = 25;

export interface EnsembleWish {
  readonly size: number;
  readonly observers: number;
  readonly kind: EnsembleKind;
  /** Null: free ones. */
  readonly clientPort: number | null;
  /** Null: a temporary one. */
  readonly dataDir: string | null;
  readonly logLevel: string | null;
  readonly settings: Readonly<Record<string, string>>;
}

/** @throws ConfigFailure naming the flag, its value and what is allowed */
export function wishOf(flags: EnsembleFlags): EnsembleWish {
  const { size, observers, clientPort = null, dataDir = null, logLevel = null } = flags;
  whole('--size', size, 1, SERVERS_MAX);
  whole('--observers', observers, 0, SERVERS_MAX - size);
  if (clientPort !== null) whole('--client-port', clientPort, 1, 65_535);
  const kind = ENSEMBLE_KINDS.find((one) => one === flags.kind);
  if (kind === undefined)
    throw new ConfigFailure(`--kind ${flags.kind}: allowed: ${ENSEMBLE_KINDS.join(', ')}`);
  if (dataDir === '') throw new ConfigFailure('--data-dir: the name of a directory is missing');
  if (logLevel !== null && !LOG_LEVELS.some((level) => level === logLevel)) {
    throw new ConfigFailure(`--log-level ${logLevel}: allowed: ${LOG_LEVELS.join(', ')}`);
  }
  return { size, observers, kind, clientPort, dataDir, logLevel, settings: settingsOf(flags.set) };
}

function whole(flag: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new ConfigFailure(`${flag} ${value}: allowed: ${min} to ${max}`);
}

function settingsOf(pairs: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals <= 0) throw new ConfigFailure(`--set ${pair}: allowed: key=value`);
    const key = pair.slice(0, equals).trim();
    if (/^(?:dataDir|dataLogDir|clientPort|clientPortAddress|dynamicConfigFile|server\..*)$/.test(key)) {
      throw new ConfigFailure(`--set ${pair}: ${key} is what this command sets for each server itself`);
    }
    settings[key] = pair.slice(equals + 1).trim();
  }
  return settings;
}
