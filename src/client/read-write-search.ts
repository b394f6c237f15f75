/**
 * While a client is on a read-only server: asks the others in turn whether one of them is read-write, after 100 ms, then
 * twice as long each time, up to a minute. A machine.
 */
import { type Host, hostText } from './connect-string.ts';
import type { HostList } from './hosts.ts';

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 60_000;

interface Prober {
  probe(host: Host): void;
}

export class ReadWriteSearch {
  /** When the next question is due; infinite while one is open. */
  nextMs = Number.POSITIVE_INFINITY;
  private readonly hosts: HostList;
  private readonly prober: Prober;
  private pauseMs = PAUSE_MS_MIN;
  private asked: Host | null = null;
  private nowMs = 0;

  constructor(hosts: HostList, prober: Prober) {
    this.hosts = hosts;
    this.prober = prober;
  }

  reset(nowMs: number): void {
    this.pauseMs = PAUSE_MS_MIN;
    this.nextMs = nowMs + this.pauseMs;
    this.asked = null;
  }

  onTick(nowMs: number, here: Host): void {
    this.nowMs = nowMs;
    if (nowMs < this.nextMs) return;
    this.nextMs = Number.POSITIVE_INFINITY;
    const host = this.hosts.another(here);
    if (host === null) {
      this.wait();
      return;
    }
    this.asked = host;
    this.prober.probe(host);
  }

  /** True: `host` is read-write, go there. */
  onProbed(host: Host, readWrite: boolean | null): boolean {
    if (this.asked === null || hostText(this.asked) !== hostText(host)) return false;
    this.asked = null;
    if (readWrite === true) return true;
    this.wait();
    return false;
  }

  private wait(): void {
    this.pauseMs = Math.min(this.pauseMs * 2, PAUSE_MS_MAX);
    this.nextMs = this.nowMs + this.pauseMs;
  }
}
