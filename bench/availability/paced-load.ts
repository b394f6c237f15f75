/**
 * A load of one rate beside the probes, by clients as users have them: each with all servers in its list, moving on when its
 * connection breaks, with a session that can expire. A request is good when it is answered in time, counted from when it
 * was due; what is due while a client has no connection fails at once.
 *
 *     due --client has a connection and room--> sent --answered within the deadline--> good
 *      '--not--> lost                            '--late, refused, connection gone--> lost
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connect, isZk, type Zk } from '../../src/client/index.ts';
import { type Address, addressText } from '../base/address.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import type { GoodputSeries } from './goodput.ts';

export interface LoadSetting {
  /** Requests a second, a multiple of 10. */
  readonly ratePerSecond: number;
  readonly sessionTimeoutMs: number;
}

export const BUCKET_MS = 100;
export const DEADLINE_MS = 200;
const CLIENTS = 12;
/** Of ten requests; that of the failures of the ZooKeeper paper (Fig. 8). */
const WRITES_OF_TEN = 3;
const VALUE = Buffer.alloc(1024, 'v');
const TIMER_MS = 5;
/** Without an answer, by one client; more are lost. */
const OPEN_MAX = 256;
const CONNECT_MS_MAX = 10_000;
const FIRST_CAPACITY = 65_536;

interface LoadClient {
  readonly zk: Zk;
  readonly path: string;
  open: number;
}

export class PacedLoad {
  private readonly setting: LoadSetting;
  private readonly clients: LoadClient[] = [];
  private readonly lostAtMs: number[] = [];
  private readonly expiredAtMs: number[] = [];
  private firstDueMs = 0;
  private sent = 0;
  /** 1 = good, by number of the request. */
  private good = new Uint8Array(FIRST_CAPACITY);
  private timer: NodeJS.Timeout | null = null;

  constructor(setting: LoadSetting) {
    this.setting = setting;
  }

  /** `parent` exists. @throws Error when a client gets no session */
  async start(addresses: readonly Address[], parent: string): Promise<void> {
    const { sessionTimeoutMs } = this.setting;
    for (let number = 0; number < CLIENTS; number++) {
      // A client begins somewhere in its list by chance; all of them begin with a server each, in turn.
      const first = number % addresses.length;
      const servers = [...addresses.slice(first), ...addresses.slice(0, first)].map(addressText).join(',');
      const signal = AbortSignal.timeout(CONNECT_MS_MAX);
      const zk = await connect(servers, { sessionTimeoutMs, offlineQueue: 'fail', signal });
      const path = `${parent}/c${number}`;
      this.clients.push({ zk, path, open: 0 });
      await zk.create(path, VALUE);
      this.watch(zk);
    }
    this.firstDueMs = monotonicMs() + TIMER_MS;
    if (this.setting.ratePerSecond > 0) this.timer = setInterval(() => this.onTimer(), TIMER_MS);
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    await Promise.race([Promise.all(this.clients.map(({ zk }) => zk.close())), delay(2_000)]);
    for (const { zk } of this.clients) zk.detach();
  }

  /** From the first whole bucket of `[fromMs, toMs)` on; times count from `fromMs`. After `stop`. */
  series(fromMs: number, toMs: number): GoodputSeries {
    const perBucket = (this.setting.ratePerSecond * BUCKET_MS) / 1000;
    const first = Math.max(0, Math.ceil((fromMs - this.firstDueMs) / BUCKET_MS));
    const end = Math.min(Math.floor((toMs - this.firstDueMs) / BUCKET_MS), Math.floor(this.sent / perBucket));
    const good: number[] = [];
    for (let bucket = first; bucket < end; bucket++) {
      let sum = 0;
      for (let i = bucket * perBucket; i < (bucket + 1) * perBucket; i++) sum += this.good[i]!;
      good.push(sum);
    }
    const cut = (times: readonly number[]): number[] =>
      times.filter((atMs) => atMs >= fromMs && atMs < toMs).map((atMs) => atMs - fromMs);
    return {
      ...{ bucketMs: BUCKET_MS, duePerBucket: perBucket, good },
      startMs: this.firstDueMs + first * BUCKET_MS - fromMs,
      connectionsLostAtMs: cut(this.lostAtMs),
      sessionsExpiredAtMs: cut(this.expiredAtMs),
    };
  }

  private watch(zk: Zk): void {
    zk.core.listen(({ state }) => {
      if (this.timer === null) return;
      if (state === 'suspended') this.lostAtMs.push(monotonicMs());
      else if (state === 'expired') this.expiredAtMs.push(monotonicMs());
    });
  }

  private onTimer(): void {
    const { ratePerSecond } = this.setting;
    const due = Math.floor(((monotonicMs() - this.firstDueMs) * ratePerSecond) / 1000) + 1;
    while (this.sent < due) this.send(this.sent++);
  }

  private send(number: number): void {
    if (number === this.good.length) {
      const bigger = new Uint8Array(2 * this.good.length);
      bigger.set(this.good);
      this.good = bigger;
    }
    const client = this.clients[number % CLIENTS]!;
    if (client.open >= OPEN_MAX) return;
    const { zk, path } = client;
    // Each client has its turns of reads and of writes.
    const isWrite = Math.floor(number / CLIENTS) % 10 < WRITES_OF_TEN;
    const answered: Promise<unknown> = isWrite ? zk.setData(path, VALUE) : zk.getData(path);
    client.open++;
    answered
      .then(() => {
        const dueMs = this.firstDueMs + (number * 1000) / this.setting.ratePerSecond;
        if (monotonicMs() - dueMs <= DEADLINE_MS) this.good[number] = 1;
      })
      .catch((error: unknown) => {
        if (!isZk(error)) throw error; // refused or lost, which is what it counts as
      })
      .finally(() => client.open--);
  }
}
