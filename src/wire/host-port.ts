/**
 * `host:port` as servers write their addresses for each other: IPv6 literals in brackets. Pure, any thread.
 */
import { PORT_MAX } from './limits.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Cuts `host:a:b…` at its colons, the host without brackets; null where a bracket is not closed or nothing follows the
 * host's colon.
 */
export function splitHostPorts(text: string): string[] | null {
  if (!text.startsWith('[')) return text.split(':');
  const end = text.indexOf(']');
  if (end < 0 || (end + 1 < text.length && text[end + 1] !== ':') || end + 2 === text.length) return null;
  return [text.slice(1, end), ...(end + 1 === text.length ? [] : text.slice(end + 2).split(':'))];
}

/** A port that somebody can be reached at; -1 for anything else. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= PORT_MAX ? port : -1;
}

/** Null: malformed. */
export function parseHostPort(text: string): HostPort | null {
  const parts = splitHostPorts(text);
  if (parts === null || parts.length !== 2 || parts[0] === '') return null;
  const port = parsePort(parts[1]!);
  return port < 0 ? null : { host: parts[0]!, port };
}

/** The host as it stands before a colon. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

export function hostPortText(address: HostPort): string {
  return `${bracketed(address.host)}:${address.port}`;
}

/** "Every interface" is where one listens, and nowhere to dial. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '0:0:0:0:0:0:0:0';
}
