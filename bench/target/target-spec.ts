/**
 * The text behind `--target`, read into a value. Which of the things it names exist is found out by start-target.ts.
 *
 *     embedded[:key=value,...]        ringkeeper of this checkout; `ringkeeper` means the same
 *     commit:REV[:key=value,...]      ringkeeper of another commit of this repository
 *     apache[:key=value,...]          Apache ZooKeeper of this machine; keys of its zoo.cfg
 *     embedded:3, apache:5+2[:k=v]    so many servers as one ensemble, the second number of them observers
 *     mixed:2+1[+1]                   2 of ringkeeper and 1 of Apache, and observers of ringkeeper
 *     null[:delayMs=5]                fixed replies, for checking the engine itself
 *     host:port[,host:port ...]       a running service; IPv6 in brackets
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Address } from '../base/address.ts';

/** Of zoo.cfg, in the order in which they were given. */
export type Settings = Readonly<Record<string, string>>;

/** One entry for each server. */
export interface EnsembleKinds {
  /** `apache-3`, `embedded-5+2`: for files and tables. */
  readonly name: string;
  readonly voters: readonly EnsembleKind[];
  readonly observers: readonly EnsembleKind[];
}

type EnsembleKind = 'ringkeeper' | 'apache';

export type TargetSpec = { readonly text: string } & (
  | { readonly kind: 'embedded' | 'apache'; readonly settings: Settings }
  | ({ readonly kind: 'ensemble'; readonly settings: Settings } & EnsembleKinds)
  | { readonly kind: 'commit'; readonly rev: string; readonly settings: Settings }
  | { readonly kind: 'null'; readonly delayMs: number }
  | { readonly kind: 'external'; readonly addresses: readonly Address[] }
);

export const TARGET_FORMS =
  'embedded, commit:REV, apache, embedded:3, apache:5+2 (with observers), mixed:2+1 (ringkeeper and Apache), each may go on ' +
  'with :key=value,key=value; null, null:delayMs=N, or host:port,host:port';

export const DELAY_MS_MAX = 10_000;

/** More are a benchmark of the scheduler. */
const SERVERS_MAX = 25;

/** What the engine decides itself: where the data lies so that it can be removed, ports that are free, who the others are. */
export const OWN_KEYS: ReadonlySet<string> = new Set([
  'dataDir',
  'dataLogDir',
  'clientPort',
  'clientPortAddress',
  'dynamicConfigFile',
  'peerType',
]);

/** @throws ConfigFailure naming the value and what is allowed. */
export function parseTargetSpec(text: string): TargetSpec {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? null : text.slice(colon + 1);
  switch (kind) {
    case 'embedded':
    case 'ringkeeper':
      return isCounted(rest)
        ? parseEnsemble(text, 'embedded', rest)
        : { text, kind: 'embedded', settings: parseSettings(text, rest) };
    case 'apache':
      return isCounted(rest)
        ? parseEnsemble(text, 'apache', rest)
        : { text, kind, settings: parseSettings(text, rest) };
    case 'mixed':
      return parseEnsemble(text, kind, rest ?? '');
    case 'commit':
      return parseCommit(text, rest ?? '');
    case 'null':
      return { text, kind, delayMs: parseDelay(text, rest) };
    default:
      return { text, kind: 'external', addresses: parseAddresses(text) };
  }
}

/** Keys of zoo.cfg begin with a letter. */
function isCounted(rest: string | null): rest is string {
  return rest !== null && /^\s*[\d+]/.test(rest);
}

/** `3`, `5+2`, of `mixed` `2+1` or `2+1+1`; then perhaps settings. One server alone is no ensemble. */
function parseEnsemble(text: string, kind: 'embedded' | 'apache' | 'mixed', rest: string): TargetSpec {
  const colon = rest.indexOf(':');
  const counts = colon < 0 ? rest : rest.slice(0, colon);
  const numbers = counts.split('+').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : Number.NaN));
  const [first = 0, second = 0, third = 0] = numbers;
  const isMixed = kind === 'mixed';
  const isShaped = isMixed ? numbers.length === 2 || numbers.length === 3 : numbers.length <= 2;
  const sum = numbers.reduce((total, number) => total + number, 0);
  if (!isShaped || !(sum <= SERVERS_MAX) || first < 1 || (isMixed && second < 1)) {
    const form = isMixed
      ? 'mixed:A+B (A servers of ringkeeper, B of Apache; mixed:A+B+O with observers)'
      : `${kind}:N or ${kind}:N+O (O of them observers)`;
    throw refusal(text, `${form}, 1 to ${SERVERS_MAX} servers in all, then perhaps :key=value,key=value`);
  }
  const settings = parseSettings(text, colon < 0 ? null : rest.slice(colon + 1));
  if (kind !== 'mixed' && sum === 1) return { text, kind, settings };
  const own: EnsembleKind = kind === 'apache' ? 'apache' : 'ringkeeper';
  const name = `${kind}-${numbers.filter((number) => number > 0).join('+')}`;
  return {
    ...{ text, kind: 'ensemble', settings, name },
    voters: isMixed
      ? [...serversOf('ringkeeper', first), ...serversOf('apache', second)]
      : serversOf(own, first),
    observers: serversOf(own, isMixed ? third : second),
  };
}

function serversOf(kind: EnsembleKind, count: number): EnsembleKind[] {
  return Array.from({ length: count }, () => kind);
}

function parseCommit(text: string, rest: string): TargetSpec {
  const colon = rest.indexOf(':');
  const rev = colon < 0 ? rest : rest.slice(0, colon);
  // What begins with a dash would be read as a flag by git.
  if (rev === '' || rev.startsWith('-')) throw refusal(text, 'commit:REV, e.g. commit:HEAD~1');
  return {
    text,
    kind: 'commit',
    rev,
    settings: parseSettings(text, colon < 0 ? null : rest.slice(colon + 1)),
  };
}

function parseDelay(text: string, rest: string | null): number {
  const settings = parseSettings(text, rest);
  for (const key of Object.keys(settings)) {
    if (key !== 'delayMs') throw refusal(text, `null or null:delayMs=N, not ${key}`);
  }
  const delay = settings['delayMs'] ?? '0';
  const delayMs = Number(delay);
  if (delay === '' || !(delayMs >= 0 && delayMs <= DELAY_MS_MAX)) {
    throw refusal(text, `delayMs from 0 to ${DELAY_MS_MAX}, fractions too`);
  }
  return delayMs;
}

function parseSettings(text: string, rest: string | null): Settings {
  const settings: Record<string, string> = {};
  if (rest === null) return settings;
  for (const pair of rest.split(',')) {
    const match = /^\s*([\w.-]+)=([^\r\n]*)$/.exec(pair);
    if (match === null) {
      throw refusal(
        text,
        `key=value,key=value behind the last colon, not "${pair}" (a value holds no comma)`,
      );
    }
    const key = match[1]!;
    if (OWN_KEYS.has(key) || key.startsWith('server.'))
      throw refusal(text, `any key but ${key}, which the engine sets itself`);
    if (key in settings) throw refusal(text, `each key once, not ${key} again`);
    settings[key] = match[2]!.trim();
  }
  return settings;
}

function parseAddresses(text: string): Address[] {
  const addresses = text.split(',').map((part) => {
    const address = parseAddress(part.trim());
    if (address === null) {
      const where = part === text ? '' : `, not "${part}"`;
      throw refusal(text, `${TARGET_FORMS}${where} (ports are 1 to 65535, IPv6 stands in brackets)`);
    }
    return address;
  });
  const texts = addresses.map(({ host, port }) => `${host} ${port}`);
  const twice = addresses.find((_, i) => texts.indexOf(texts[i]!) !== i);
  if (twice !== undefined) throw refusal(text, `each server once, not ${twice.host}:${twice.port} again`);
  return addresses;
}

/** `host:port` or `[ipv6]:port`; null for anything else. */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%\w+)?)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) return null;
  return { host: match[1] ?? match[2]!, port };
}

function refusal(text: string, allowed: string): ConfigFailure {
  return new ConfigFailure(`--target: "${text}" - allowed: ${allowed}`);
}

/** The same target with further settings; they win over its own. Only of servers that are started here. @throws ConfigFailure */
export function withSettings(spec: TargetSpec, settings: Settings): TargetSpec {
  if (!('settings' in spec)) {
    throw new ConfigFailure(
      `"${spec.text}" takes no settings - allowed: embedded, commit:REV, apache, or an ensemble of them`,
    );
  }
  const pairs = Object.entries({ ...spec.settings, ...settings }).map(([key, value]) => `${key}=${value}`);
  const own = spec.text.search(/:\s*[\w.-]+=/);
  const bare = own < 0 ? spec.text : spec.text.slice(0, own);
  return pairs.length === 0 ? spec : parseTargetSpec(`${bare}:${pairs.join(',')}`);
}
