/**
 * One session writes, all others watch: client 0 sets the znodes in turn at a fixed rate, every other client keeps a
 * one-shot data watch on each of them and arms it again when it fires. `event` is the delay from the write's
 * acknowledgement to the event's arrival, for each watcher; versions say which write an event belongs to.
 */

import { OpCode } from '../../src/wire/opcodes.ts';
import { readStat } from '../../src/wire/stat.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { SessionSocket } from '../load/session-socket.ts';
import { setRequest } from '../session/frames.ts';
import { RecipeClient, type RecipeSetting } from './recipe-client.ts';

const SET = 0;
const WATCH = 1;
const EVENT = 2;
/** A write waits while this many are unanswered: a slow server gets a lower rate, and the figure shows it. */
const WRITES_IN_FLIGHT_MAX = 1_000;

export interface FanoutPlan {
  readonly znodes: number;
  readonly writesPerSecond: number;
}

export function fanoutPath(root: string, znode: number): string {
  return `${root}/w${String(znode).padStart(6, '0')}`;
}

export class FanoutWriter extends RecipeClient {
  private readonly plan: FanoutPlan;
  private written = 0;

  constructor(socket: SessionSocket, phase: LoadPhase, setting: RecipeSetting, plan: FanoutPlan) {
    super(socket, phase, setting);
    this.plan = plan;
  }

  override tick(nowMs: number): void {
    if (this.over) {
      this.stop();
      return;
    }
    const dueCount = Math.floor(((nowMs - this.phase.startMs) / 1000) * this.plan.writesPerSecond);
    while (this.written < dueCount && this.inFlight < WRITES_IN_FLIGHT_MAX) this.write();
    this.flush();
  }

  protected override start(): void {}

  protected override onSessionLost(): void {}

  private write(): void {
    const znode = this.written++ % this.plan.znodes;
    const stamp = Buffer.alloc(8);
    stamp.writeUInt32BE(this.written, 4);
    this.send(SET, setRequest(fanoutPath(this.setting.root, znode), stamp), (_error, body, nowMs) => {
      this.setting.delays.onCountedAck(znode, readStat(body).version, nowMs);
    });
  }
}

export class FanoutWatcher extends RecipeClient {
  private readonly plan: FanoutPlan;
  /** The version that each watch's event will tell of: the next one after what its reply showed; 0 = not armed. */
  private readonly awaited: Int32Array;

  constructor(socket: SessionSocket, phase: LoadPhase, setting: RecipeSetting, plan: FanoutPlan) {
    super(socket, phase, setting);
    this.plan = plan;
    this.awaited = new Int32Array(plan.znodes);
  }

  override tick(): void {
    if (this.over) this.stop();
  }

  protected override start(): void {
    for (let znode = 0; znode < this.plan.znodes; znode++) this.arm(znode);
  }

  protected override onSessionLost(): void {
    this.awaited.fill(0);
  }

  protected override onEvent(path: string, _type: number, nowMs: number): void {
    const znode = Number(path.slice(path.lastIndexOf('/') + 2));
    const version = this.awaited[znode]!;
    if (version === 0) {
      this.phase.onDisorder();
      return;
    }
    this.awaited[znode] = 0;
    const delayMs = this.setting.delays.sinceCountedAck(znode, version, nowMs);
    this.phase.onDelay(EVENT, delayMs, nowMs);
    if (!this.over) this.arm(znode);
  }

  private arm(znode: number): void {
    const path = fanoutPath(this.setting.root, znode);
    this.send(WATCH, { op: OpCode.getData, path, watch: true }, (_error, body) => {
      body.readBuffer();
      this.awaited[znode] = readStat(body).version + 1;
    });
  }
}
