/** What the clients of a run do: requests of all kinds over few paths, so that they meet. */
import type { Prng } from '../../src/base/prng.ts';
import { OPEN_ACL, type SentAcl } from '../../src/wire/acl.ts';
import { CreateFlags, OpCode } from '../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../src/wire/request-values.ts';
import { LISTS } from './access.ts';
import { quotaRequest } from './quota.ts';
import type { SimClient } from './sim-client.ts';
import type { World } from './world.ts';

/** What a seed's clients are like. */
export interface Habits {
  /** Between two thoughts of a client. */
  readonly restMsMax: number;
  readonly burstMax: number;
  readonly underWayMax: number;
  readonly dataBytesMax: number;
  /** Of the values: those of up to `dataBytesMax`. */
  readonly largeShare: number;
  /** Of a thought: that it ends the connection or the session. */
  readonly whim: number;
  readonly hasTtl: boolean;
  readonly hasAcls: boolean;
  readonly hasQuota: boolean;
}

const NAMES = ['a', 'b', 'c'];
/** Between two thoughts of a client that asks nothing new. */
const REST_MS_MIN = 20;

export class Workload {
  /** Set at the end of a run: nothing new is asked. */
  isOver = false;
  /** How often each operation was asked. */
  readonly counts = new Map<number, number>();
  private readonly world: World;
  private readonly prng: Prng;
  private readonly habits: Habits;
  private nextTag = 1;

  constructor(world: World, habits: Habits) {
    this.world = world;
    this.prng = world.prng;
    this.habits = habits;
  }

  /** Begins a client's life. */
  start(client: SimClient): void {
    const think = (): void => {
      if (client.state === 'gone') return;
      this.think(client);
      const restMs = this.world.span(0.1, this.habits.restMsMax);
      this.world.after(this.isOver ? Math.max(restMs, REST_MS_MIN) : restMs, think);
    };
    const live = (): void => {
      if (client.state === 'gone') return;
      client.keepAlive();
      this.world.after(client.timeoutMs / 10, live);
    };
    live();
    this.world.after(this.world.span(0, this.habits.restMsMax), think);
  }

  request(): Request {
    const { prng } = this;
    if (this.habits.hasQuota && prng.chance(0.1))
      return quotaRequest(prng.pick([-1, 1, 3]), prng.pick([-1, 50, 300]));
    const path = this.path();
    const watch = prng.chance(0.4);
    switch (prng.below(this.habits.hasAcls ? 19 : 17)) {
      case 0:
        return { op: OpCode.multi, subs: Array.from({ length: 1 + prng.below(4) }, () => this.part()) };
      case 1:
        return { op: OpCode.addWatch, path: prng.chance(0.2) ? '/' : path, mode: prng.below(2) };
      case 2:
        return { op: OpCode.sync, path };
      case 3:
        return { op: OpCode.getChildren2, path: prng.chance(0.4) ? '/' : path, watch };
      case 4:
        return { op: OpCode.getChildren, path, watch };
      case 5:
        return { op: OpCode.exists, path, watch };
      case 6:
      case 7:
        return { op: OpCode.getData, path, watch };
      case 8:
        return {
          op: OpCode.multiRead,
          subs: Array.from({ length: 1 + prng.below(4) }, () => this.readPart()),
        };
      case 9:
        return {
          op: prng.chance(0.8) ? OpCode.removeWatches : OpCode.checkWatches,
          path,
          mode: 1 + prng.below(5),
        };
      case 17:
        return { op: OpCode.getAcl, path };
      case 18:
        return { op: OpCode.setAcl, path, acl: this.acl(), version: this.version() };
      default:
        return this.write();
    }
  }

  private acl(): readonly SentAcl[] {
    if (!this.habits.hasAcls || this.prng.chance(0.8)) return OPEN_ACL;
    return this.prng.pick(LISTS);
  }

  private think(client: SimClient): void {
    const { prng, habits } = this;
    if (client.state === 'apart') {
      if (!this.isOver || prng.chance(0.5)) client.connect();
      return;
    }
    if (client.state !== 'open') return;
    if (client.lost !== null) this.restore(client);
    if (this.isOver) return;
    if (prng.chance(habits.whim)) {
      if (prng.chance(0.3)) this.ask(client, { op: OpCode.closeSession });
      else client.leave(prng.pick(['fin', 'reset']));
      return;
    }
    for (let n = prng.below(habits.burstMax + 1); n > 0; n--) {
      if (client.asked.length < habits.underWayMax) this.ask(client, this.request());
    }
  }

  private ask(client: SimClient, request: Request): void {
    this.counts.set(request.op, (this.counts.get(request.op) ?? 0) + 1);
    client.send(request);
  }

  /** After a reconnect, as client libraries do; now and then not. */
  private restore(client: SimClient): void {
    const lost = client.lost!;
    client.lost = null;
    if (this.prng.chance(0.2)) return;
    const data = [...lost.data];
    this.ask(client, {
      op: OpCode.setWatches2,
      relativeZxid: client.lastZxid,
      data: data.filter(([, wasMissing]) => !wasMissing).map(([path]) => path),
      exist: data.filter(([, wasMissing]) => wasMissing).map(([path]) => path),
      child: [...lost.child],
      persistent: [...lost.persistent],
      persistentRecursive: [...lost.recursive],
    });
  }

  private readPart(): MultiSubRequest {
    const op = this.prng.chance(0.6) ? OpCode.getData : OpCode.getChildren;
    return { op, path: this.prng.chance(0.2) ? '/' : this.path(), watch: false };
  }

  private part(): MultiSubRequest {
    if (this.prng.chance(0.15)) return { op: OpCode.check, path: this.path(), version: this.version() };
    return this.write();
  }

  private write(): MultiSubRequest {
    const { prng } = this;
    const path = this.path();
    const data = this.data();
    const acl = this.acl();
    switch (prng.below(12)) {
      case 0:
      case 1:
      case 2:
        return { op: OpCode.delete, path, version: this.version() };
      case 3:
      case 4:
      case 5:
        return { op: OpCode.setData, path, data, version: this.version() };
      case 6:
        if (this.habits.hasTtl && prng.chance(0.5)) {
          const ttl = prng.pick([200, 2000, 3_600_000]);
          return { op: OpCode.createTtl, path, data, acl, flags: CreateFlags.persistentTtl, ttl };
        }
        return { op: OpCode.createContainer, path, data, acl, flags: CreateFlags.container };
      default:
        return { op: prng.pick([OpCode.create, OpCode.create2]), path, data, acl, flags: prng.below(4) };
    }
  }

  private path(): string {
    const { prng } = this;
    let path = '';
    for (let depth = 1 + prng.below(2); depth > 0; depth--) path += `/${prng.pick(NAMES)}`;
    return path;
  }

  private version(): number {
    return this.prng.chance(0.7) ? -1 : this.prng.below(3);
  }

  private data(): Uint8Array | null {
    const { prng } = this;
    if (prng.chance(0.05)) return null;
    const bytes = new Uint8Array(
      prng.chance(this.habits.largeShare) ? prng.below(this.habits.dataBytesMax) : prng.below(40),
    );
    const tag = this.nextTag++;
    for (let i = 0; i < bytes.length; i++) bytes[i] = (tag >> (8 * (i & 3))) & 0xff;
    return bytes;
  }
}
