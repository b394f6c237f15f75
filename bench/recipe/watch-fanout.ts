/**
 * One session writes, all others watch: client 0 sets the znodes in turn at a fixed rate, every other client keeps a
 * one-shot data watch on each of them and arms it again when it fires. For each watcher, to the event's arrival:
 *
 *     event             from the write's acknowledgement: what its caller must still reckon with; 0 when the event was first
 *     write to event    from its sending: says something also where every event comes first
 *
 * Versions say which write an event belongs to. Of its own writes the writer knows them at once, as nobody else writes
 * here; should a reply say otherwise, or the session be lost, later sendings are not noted.
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
const WRITE_TO_EVENT = 3;
/** A write waits while this many are unanswered: a slow server gets a lower rate, and the figure shows it. */
const WRITES_IN_FLIGHT_MAX = 1_000;

export interface FanoutPlan {
  readonly znodes: number;
  readonly writesPerSecond: number;
}

export function fanoutPath(root: string, znode: number): string {
  return `${root}/w${String(znode).padStart(6, '0')}`;
}

/** Targets of the delays: the acknowledgements of each znode's writes, then their sendings. */
export const FANOUT_TARGETS_PER_ZNODE = 2;

function sendingOf(znode: number, znodes: number): number {
  return znodes + znode;
}

export class FanoutWriter extends RecipeClient {
  private readonly plan: FanoutPlan;
  private written = 0;
  private versionsKnown = true;

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
    while (this.written < dueCount && this.inFlight < WRITES_IN_FLIGHT_MAX) this.write(nowMs);
    this.flush();
  }

  protected override start(): void {}

  protected override onSessionLost(): void {
    this.versionsKnown = false;
  }

  private write(sentMs: number): void {
    const { znodes } = this.plan;
    const { delays } = this.setting;
    const znode = this.written % znodes;
    const madeVersion = Math.floor(this.written++ / znodes) + 1;
    if (this.versionsKnown) delays.onCountedAck(sendingOf(znode, znodes), madeVersion, sentMs);
    const stamp = Buffer.alloc(8);
    stamp.writeUInt32BE(this.written, 4);
    this.send(SET, setRequest(fanoutPath(this.setting.root, znode), stamp), (_error, body, nowMs) => {
      const { version } = readStat(body);
      if (version !== madeVersion) this.versionsKnown = false;
      delays.onCountedAck(znode, version, nowMs);
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
    const { delays } = this.setting;
    this.phase.onDelay(EVENT, delays.sinceCountedAck(znode, version, nowMs), nowMs);
    const sinceSendingMs = delays.sinceCountedAck(sendingOf(znode, this.plan.znodes), version, nowMs);
    if (sinceSendingMs >= 0) this.phase.onStep(WRITE_TO_EVENT, nowMs - sinceSendingMs, nowMs);
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
