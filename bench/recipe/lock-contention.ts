/**
 * The lock recipe of ZooKeeper's documentation, all clients of a lock against each other:
 *
 *     create ephemeral sequential -> getChildren -> lowest?  yes: acquired, hold, delete, again
 *                                        ^           no:  exists(predecessor, watch) -> its deletion
 *                                        |_________________________________________________|
 *
 * `acquire` runs from the create to the moment the lock is held; `hand over` from the acknowledgement of the previous
 * holder's delete to that moment, which is what the recipe costs between two holders. Holders are told apart by their
 * sequence numbers: the new one may hold the lock before the old one has heard that it let go, and counts 0 then.
 */
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { CreateFlags, OpCode } from '../../src/wire/opcodes.ts';
import type { Request } from '../../src/wire/request-values.ts';
import { EventType } from '../../src/wire/watch-event.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { SessionSocket } from '../load/session-socket.ts';
import { createRequest, deleteRequest } from '../session/frames.ts';
import { type OpenStep, RecipeClient, type RecipeSetting } from './recipe-client.ts';

const CREATE = 0;
const GET_CHILDREN = 1;
const EXISTS = 2;
const DELETE = 3;
const ACQUIRE = 4;
const HAND_OVER = 5;
const SEQUENCE_DIGITS = 10;

export interface LockPlan {
  readonly locks: number;
  readonly holdMs: number;
}

export function lockDirectory(root: string, lock: number): string {
  return `${root}/lock-${lock}`;
}

export class LockClient extends RecipeClient {
  private readonly plan: LockPlan;
  private readonly lock: number;
  private readonly directory: string;
  /** When it asked for the lock; null while it holds it. */
  private since: number | null = null;
  private node = '';
  /** Sequence of the holder that it waited for last; -1 when it did not have to. */
  private predecessor = -1;
  /** Held until this instant; Infinity while not held. */
  private holdUntil = Number.POSITIVE_INFINITY;

  constructor(socket: SessionSocket, phase: LoadPhase, setting: RecipeSetting, plan: LockPlan) {
    super(socket, phase, setting);
    this.plan = plan;
    this.lock = setting.index % plan.locks;
    this.directory = lockDirectory(setting.root, this.lock);
  }

  override tick(nowMs: number): void {
    if (nowMs < this.holdUntil && !(this.over && this.holdUntil < Number.POSITIVE_INFINITY)) return;
    this.release();
    this.flush();
  }

  protected override start(nowMs: number): void {
    this.holdUntil = Number.POSITIVE_INFINITY;
    this.contend(nowMs);
  }

  protected override onSessionLost(): void {
    this.node = '';
  }

  protected override get openStep(): OpenStep | null {
    return this.since === null ? null : { label: ACQUIRE, sinceMs: this.since };
  }

  protected override onEvent(_path: string, type: number): void {
    if (type === EventType.nodeDeleted && this.node !== '') this.look();
  }

  private contend(nowMs: number): void {
    if (this.over) {
      this.stop();
      return;
    }
    this.since = nowMs;
    this.predecessor = -1;
    const plain = createRequest(`${this.directory}/n-`, new Uint8Array(0));
    const request = { ...plain, flags: CreateFlags.ephemeralSequential } as Request;
    this.send(CREATE, request, (_error, body) => {
      const path = body.readText();
      this.node = path.slice(path.lastIndexOf('/') + 1);
      this.look();
    });
  }

  private look(): void {
    const list: Request = { op: OpCode.getChildren, path: this.directory, watch: false };
    this.send(GET_CHILDREN, list, (_error, body, nowMs) => {
      const own = sequenceOf(this.node);
      let predecessor = '';
      let before = -1;
      for (const name of body.readList((reader) => reader.readText())) {
        const sequence = sequenceOf(name);
        if (sequence < own && sequence > before) {
          before = sequence;
          predecessor = name;
        }
      }
      if (predecessor === '') this.acquired(nowMs);
      else this.watch(predecessor);
    });
  }

  private watch(predecessor: string): void {
    const request: Request = { op: OpCode.exists, path: `${this.directory}/${predecessor}`, watch: true };
    this.send(
      EXISTS,
      request,
      (error) => {
        this.predecessor = sequenceOf(predecessor);
        if (error === ErrorCode.noNode) this.look(); // gone between the two requests
      },
      [ErrorCode.noNode],
    );
  }

  private acquired(nowMs: number): void {
    this.phase.onStep(ACQUIRE, this.since ?? nowMs, nowMs);
    this.since = null;
    if (this.predecessor >= 0) {
      const delayMs = this.setting.delays.sinceCountedAck(this.lock, this.predecessor, nowMs);
      this.phase.onDelay(HAND_OVER, delayMs, nowMs);
    }
    if (this.plan.holdMs > 0 && !this.over) this.holdUntil = nowMs + this.plan.holdMs;
    else this.release();
  }

  private release(): void {
    this.holdUntil = Number.POSITIVE_INFINITY;
    const path = `${this.directory}/${this.node}`;
    const sequence = sequenceOf(this.node);
    this.node = '';
    this.send(DELETE, deleteRequest(path), (_error, _body, nowMs) => {
      this.setting.delays.onCountedAck(this.lock, sequence, nowMs);
      this.contend(nowMs);
    });
  }
}

function sequenceOf(name: string): number {
  return Number(name.slice(-SEQUENCE_DIGITS));
}
