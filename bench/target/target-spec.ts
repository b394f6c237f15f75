/**
 * The text behind `--target`, read into a value. Which of the things it names exist is found out by start-target.ts.
 *
 *     embedded[:key=value,...]        ringkeeper of this checkout; `ringkeeper` means the same
 *     commit:REV[:key=value,...]      ringkeeper of another commit of this repository
 *     apache[:key=value,...]          Apache ZooKeeper of this machine; keys of its zoo.cfg
 *     null[:delayMs=5]                fixed replies, for checking the engine itself
 *     host:port[,host:port ...]       a running service; IPv6 in brackets
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Address } from '../base/address.ts';

/** Of zoo.cfg, in the order in which they were given. */
export type Settings = Readonly<Record<string, string>>;

export type TargetSpec = { readonly text: string } & (
  | { readonly kind: 'embedded' | 'apache'; readonly settings: Settings }
  | { readonly kind: 'commit'; readonly rev: string; readonly settings: Settings }
  | { readonly kind: 'null'; readonly delayMs: number }
  | { readonly kind: 'external'; readonly addresses: readonly Address[] }
);

export const TARGET_FORMS =
  'embedded, commit:REV, apache (each may go on with :key=value,key=value), null, null:delayMs=N, or host:port,host:port';

export const DELAY_MS_MAX = 10_000;

/** What the engine decides itself: where the data lies so that it can be removed, and a port that is free. */
export const OWN_KEYS: ReadonlySet<string> = new Set([
  'dataDir',
  'dataLogDir',
  'clientPort',
  'clientPortAddress',
]);

/** @throws ConfigFailure naming the value and what is allowed. */
export function parseTargetSpec(text: string): TargetSpec {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? null : text.slice(colon + 1);
  switch (kind) {
    case 'embedded':
    case 'ringkeeper':
      return { text, kind: 'embedded', settings: parseSettings(text, rest) };
    case 'apache':
      return { text, kind, settings: parseSettings(text, rest) };
    case 'commit':
      return parseCommit(text, rest ?? '');
    case 'null':
      return { text, kind, delayMs: parseDelay(text, rest) };
    default:
      return { text, kind: 'external', addresses: parseAddresses(text) };
  }
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
    if (OWN_KEYS.has(key)) throw refusal(text, `any key but ${key}, which the engine sets itself`);
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
