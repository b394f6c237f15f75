/**
 * `host[:port][,host[:port]…][/chroot]`, with IPv6 addresses in brackets, or `dns-srv://name[/chroot]`, whose hosts
 * are the SRV records of a name. Pure, any thread.
 */
import { validatePath } from './paths.ts';

export interface Host {
  readonly name: string;
  readonly port: number;
}

export interface ConnectString {
  /** In the order given; empty when they come from SRV records. */
  readonly hosts: readonly Host[];
  /** The name to look SRV records up under; null = hosts are listed. */
  readonly srvName: string | null;
  /** The root of every path of this client; empty = the root of the tree. */
  readonly chroot: string;
}

const PORT_DEFAULT = 2181;
const PORT_MAX = 65_535;
const SRV_PREFIX = 'dns-srv://';

/** @throws TypeError that names the part which cannot be read. */
export function parseConnectString(text: string): ConnectString {
  const isSrv = text.startsWith(SRV_PREFIX);
  const rest = isSrv ? text.slice(SRV_PREFIX.length) : text;
  const slash = rest.indexOf('/');
  const servers = slash < 0 ? rest : rest.slice(0, slash);
  const chroot = slash < 0 ? '' : chrootOf(rest.slice(slash));
  if (isSrv) {
    if (servers.trim() === '') throw new TypeError(`connect string "${text}": no name behind ${SRV_PREFIX}`);
    return { hosts: [], srvName: servers.trim(), chroot };
  }
  const hosts = servers
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseHost);
  if (hosts.length === 0) throw new TypeError(`connect string "${text}": no server in it`);
  return { hosts, srvName: null, chroot };
}

/** `host`, `host:port`, `[v6]` or `[v6]:port`. */
function parseHost(part: string): Host {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d+))?$/.exec(part);
  const name = match?.[1] ?? match?.[2];
  if (match === null || name === undefined) {
    throw new TypeError(`connect string: "${part}" is no host:port (IPv6 addresses stand in brackets)`);
  }
  const port = match[3] === undefined ? PORT_DEFAULT : Number(match[3]);
  if (port < 1 || port > PORT_MAX) throw new TypeError(`connect string: "${part}" has no valid port`);
  return { name, port };
}

function chrootOf(path: string): string {
  if (path === '/') return '';
  validatePath(path, 'connect string');
  return path;
}

export function hostText(host: Host): string {
  return host.name.includes(':') ? `[${host.name}]:${host.port}` : `${host.name}:${host.port}`;
}
