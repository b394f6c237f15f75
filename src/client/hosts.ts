/**
 * Which server is tried next. The list is shuffled once; attempts go round it. When it is replaced by another, the
 * arithmetic of Apache's clients decides who moves, so that load stays level without everybody reconnecting at once:
 *
 *     S old size, kept = servers in both, added = new ones only
 *     larger list    my server stays: leave it with probability 1 - S / (kept + added), then try added servers only
 *                    my server is gone: added servers
 *     else           my server stays: stay;  gone: each attempt takes a kept server with
 *                    p = kept (S - (kept + added)) / ((kept + added) (S - kept)), else an added one
 *
 * Either preference ends once its set is exhausted (then the other set) or all were tried; then it is round robin again.
 * A machine: no clock, chance comes from `random`.
 */
import { type Host, hostText } from './connect-string.ts';

export class HostList {
  private hosts: Host[] = [];
  private next = -1;
  private asked = -1;
  /** Attempts since the last connection. */
  private tried = 0;
  private readonly random: () => number;
  // While a new list is being moved to: what is left of each set, and the odds of taking a kept one.
  private kept: Host[] = [];
  private added: Host[] = [];
  private keptOdds = 0;
  private moving = false;

  /** `random` is uniform in [0, 1). */
  constructor(hosts: readonly Host[], random: () => number) {
    this.random = random;
    this.hosts = this.shuffled(hosts);
  }

  get size(): number {
    return this.hosts.length;
  }

  /** Whether every server was tried since the last connection, an exact number of times. */
  get atRoundEnd(): boolean {
    return this.tried > 0 && this.tried % this.hosts.length === 0;
  }

  /** Whole rounds without a connection. */
  get rounds(): number {
    return Math.floor(this.tried / Math.max(1, this.hosts.length));
  }

  /** The server of the next attempt. */
  take(): Host {
    this.tried++;
    const preferred = this.moving ? this.takePreferred() : undefined;
    if (preferred !== undefined) return preferred;
    this.next = (this.next + 1) % this.hosts.length;
    return this.hosts[this.next]!;
  }

  onConnected(host: Host): void {
    this.tried = 0;
    this.moving = false;
    const at = this.hosts.findIndex((one) => same(one, host));
    if (at >= 0) this.next = at;
  }

  /** `host` goes first at the next attempt: a read-write server was found there. */
  prefer(host: Host): void {
    const at = this.hosts.findIndex((one) => same(one, host));
    if (at >= 0) this.next = (at - 1 + this.hosts.length) % this.hosts.length;
  }

  /** Some server other than `host`, in turn; null when there is none. */
  another(host: Host): Host | null {
    const others = this.hosts.filter((one) => !same(one, host));
    if (others.length === 0) return null;
    this.asked = (this.asked + 1) % others.length;
    return others[this.asked]!;
  }

  /** Takes another list. Returns whether the connection to `current` (null = none) is to be given up for it. */
  update(hosts: readonly Host[], current: Host | null): boolean {
    const old = this.hosts;
    const isOld = (host: Host): boolean => old.some((one) => same(one, host));
    const list = this.shuffled(hosts);
    const kept = list.filter(isOld);
    const added = list.filter((host) => !isOld(host));
    const staying = current !== null && list.some((host) => same(host, current));
    this.hosts = list;
    this.next = -1;
    this.tried = 0;
    this.kept = kept;
    this.added = added;
    this.moving = true;
    if (list.length > old.length) {
      this.keptOdds = 0;
      const leaving = !staying || this.random() < 1 - old.length / list.length;
      if (!leaving) this.moving = false;
      return current !== null && leaving;
    }
    if (staying) {
      this.moving = false;
      return false;
    }
    const gone = old.length - kept.length;
    this.keptOdds = gone === 0 ? 1 : (kept.length * (old.length - list.length)) / (list.length * gone);
    return current !== null;
  }

  private takePreferred(): Host | undefined {
    const fromKept = this.random() < this.keptOdds;
    const [first, second] = fromKept ? [this.kept, this.added] : [this.added, this.kept];
    const host = first.pop() ?? second.pop();
    if (host === undefined) this.moving = false;
    return host;
  }

  /** Fisher and Yates, and each server once. */
  private shuffled(hosts: readonly Host[]): Host[] {
    const list = [...new Map(hosts.map((host) => [hostText(host), host])).values()];
    for (let i = list.length - 1; i > 0; i--) {
      const j = Math.floor(this.random() * (i + 1));
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  }
}

function same(a: Host, b: Host): boolean {
  return a.port === b.port && a.name === b.name;
}
