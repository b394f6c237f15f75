/**
 * Sessions come and go: connect, one read, close (or drop the connection without a word), again. Each client has one
 * session at a time beside the quiet one of its connection; `open session` is the time from the TCP connect to the
 * ConnectResponse.
 */
import { performance } from 'node:perf_hooks';
import { OpCode } from '../../src/wire/opcodes.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { SessionSocket } from '../load/session-socket.ts';
import { getRequest } from '../session/frames.ts';
import { type OpenStep, RecipeClient, type RecipeSetting } from './recipe-client.ts';

const GET = 0;
const OPEN = 1;
const CLOSE = 2;

export class SessionStormClient extends RecipeClient {
  private readonly abrupt: boolean;
  /** When the session on its way was begun; null while there is one. */
  private openedMs: number | null = null;

  /** `socket` is one of its own: it is closed and opened again and again. */
  constructor(socket: SessionSocket, phase: LoadPhase, setting: RecipeSetting, abrupt: boolean) {
    super(socket, phase, setting);
    this.abrupt = abrupt;
  }

  override join(): void {
    this.openedMs = performance.now();
    super.join();
  }

  protected override start(nowMs: number): void {
    this.phase.roll(nowMs);
    this.phase.onStep(OPEN, this.openedMs ?? nowMs, nowMs);
    this.openedMs = null;
    this.send(GET, getRequest(this.setting.root), () => {
      if (this.abrupt) this.again();
      else this.closeSession();
    });
  }

  /** Refused or ended by the server: the next try is already under way. */
  protected override onSessionLost(): void {
    this.openedMs ??= performance.now();
  }

  protected override get openStep(): OpenStep | null {
    return this.openedMs === null ? null : { label: OPEN, sinceMs: this.openedMs };
  }

  private closeSession(): void {
    this.send(CLOSE, { op: OpCode.closeSession }, () => this.again());
  }

  private again(): void {
    if (this.over) {
      this.stop();
      this.socket.close();
      return;
    }
    this.openedMs = performance.now();
    this.socket.reconnect();
  }
}
