/**
 * The workload of ATC'10, table 3: every client enters all barriers one after another, then leaves them all.
 *
 *     enter b:  exists(b/ready, watch) -> create b/<client> -> getChildren(b) -> all here? create b/ready : wait for it
 *     leave b:  delete b/<client> -> getChildren(b) -> only ready left? delete ready : exists(b/ready, watch), wait
 *
 * `all` is the time of one client from its first enter to its last leave: the seconds of the paper's table are its
 * mean. The phase ends when every client is through.
 */
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
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
const ENTER = 4;
const LEAVE = 5;
const ALL = 6;
const READY = 'ready';
const NO_DATA = new Uint8Array(0);

export function barrierDirectory(root: string, barrier: number): string {
  return `${root}/b${barrier}`;
}

export class DoubleBarrierClient extends RecipeClient {
  private readonly barriers: number;
  private barrier = 0;
  private entering = true;
  private firstMs = 0;
  private since = 0;
  /** What this client waits for: the creation or the deletion of the barrier's `ready`. */
  private awaited: number | null = null;

  constructor(socket: SessionSocket, phase: LoadPhase, setting: RecipeSetting, barriers: number) {
    super(socket, phase, setting);
    this.barriers = barriers;
  }

  override tick(): void {
    if (this.over) this.stop();
  }

  protected override start(nowMs: number): void {
    this.firstMs = nowMs;
    this.enter(nowMs);
  }

  /** Its place in the barriers is gone: the others would wait for ever, so the phase's time limit ends them all. */
  protected override onSessionLost(): void {
    this.stop();
  }

  protected override get openStep(): OpenStep | null {
    return { label: this.entering ? ENTER : LEAVE, sinceMs: this.since };
  }

  protected override onEvent(path: string, type: number, nowMs: number): void {
    if (type !== this.awaited || path !== this.readyPath) return;
    this.passed(nowMs);
  }

  private get directory(): string {
    return barrierDirectory(this.setting.root, this.barrier);
  }

  private get readyPath(): string {
    return `${this.directory}/${READY}`;
  }

  private get ownPath(): string {
    return `${this.directory}/p${this.setting.index}`;
  }

  private enter(nowMs: number): void {
    this.since = nowMs;
    this.awaited = EventType.nodeCreated;
    this.send(EXISTS, this.watchReady(), () => {}, [ErrorCode.noNode]);
    this.send(CREATE, createRequest(this.ownPath, NO_DATA), () => {
      this.send(GET_CHILDREN, this.list(), (_error, body) => {
        const names = body.readList((reader) => reader.readText());
        if (names.length < this.setting.clientCount || names.includes(READY)) return;
        // Several may see the barrier full: who comes second is told so, and passes with the event as all do.
        this.send(CREATE, createRequest(this.readyPath, NO_DATA), () => {}, [ErrorCode.nodeExists]);
      });
    });
  }

  private leaveBarrier(nowMs: number): void {
    this.since = nowMs;
    this.awaited = null;
    this.send(DELETE, deleteRequest(this.ownPath), () => {
      this.send(GET_CHILDREN, this.list(), (_error, body) => {
        const names = body.readList((reader) => reader.readText());
        if (names.some((name) => name !== READY)) this.awaitEmpty();
        else this.removeReady();
      });
    });
  }

  private awaitEmpty(): void {
    this.awaited = EventType.nodeDeleted;
    this.send(
      EXISTS,
      this.watchReady(),
      (error, _body, nowMs) => {
        if (error === ErrorCode.noNode) this.passed(nowMs);
      },
      [ErrorCode.noNode],
    );
  }

  private removeReady(): void {
    this.send(DELETE, deleteRequest(this.readyPath), (_error, _body, nowMs) => this.passed(nowMs), [
      ErrorCode.noNode,
    ]);
  }

  private passed(nowMs: number): void {
    if (this.awaited === null && this.entering) return;
    this.awaited = null;
    this.phase.onStep(this.entering ? ENTER : LEAVE, this.since, nowMs);
    this.barrier++;
    if (this.barrier === this.barriers) {
      if (!this.entering) {
        this.phase.onStep(ALL, this.firstMs, nowMs);
        this.stop();
        return;
      }
      this.entering = false;
      this.barrier = 0;
    }
    if (this.entering) this.enter(nowMs);
    else this.leaveBarrier(nowMs);
  }

  private watchReady(): Request {
    return { op: OpCode.exists, path: this.readyPath, watch: true };
  }

  private list(): Request {
    return { op: OpCode.getChildren, path: this.directory, watch: false };
  }
}
