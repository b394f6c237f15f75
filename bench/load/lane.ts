/**
 * A lane sends the requests of a mix over one session: it keeps up to `window` of them in flight and matches replies
 * by their order, which ZooKeeper guarantees per session (a reply out of order is a fault of the server and is counted
 * as one). Two kinds: tape-lane.ts for requests that are ready before the run, encoded-lane.ts for those that depend
 * on earlier replies.
 *
 *          head          sent            tail
 *     ------|-------------|---------------|------>      closed loop: tail == sent
 *      done    in flight       due, waiting             open loop, `backlog`: due times wait for the window
 *
 * Positions count requests of the phase; rings of due and send times are the state per request. With think time each
 * place of the window rests between a reply and the next request, in the order of the replies.
 */
import type { LoadPhase } from './load-phase.ts';
import type { ReadBuffer, SessionSocket, SocketUser } from './session-socket.ts';

export interface LaneSetting {
  readonly window: number;
  /** Requests that are due may wait up to this number beyond the window (open loop). */
  readonly backlogMax: number;
  /** Closed loop only. */
  readonly thinkTimeMs: number;
}

export abstract class Lane implements SocketUser {
  protected readonly socket: SessionSocket;
  protected readonly phase: LoadPhase;
  protected readonly mask: number;
  protected readonly due: Float64Array;
  protected readonly sentAt: Float64Array;
  protected head = 0;
  protected sent = 0;
  protected tail = 0;
  private readonly window: number;
  private readonly thinkTimeMs: number;
  /** When the resting places of the window are free again; a ring of `window`, in order. */
  private readonly restUntil: Float64Array;
  private restHead = 0;
  private restTail = 0;
  private joined = false;
  /** Up to here the replies are in the counts of their servers. */
  private credited = 0;

  constructor(socket: SessionSocket, phase: LoadPhase, setting: LaneSetting) {
    const capacity = 2 ** Math.ceil(Math.log2(setting.window + setting.backlogMax));
    this.socket = socket;
    this.phase = phase;
    this.window = setting.window;
    this.thinkTimeMs = setting.thinkTimeMs;
    this.mask = capacity - 1;
    this.due = new Float64Array(capacity);
    this.sentAt = new Float64Array(capacity);
    this.restUntil = new Float64Array(setting.thinkTimeMs > 0 ? setting.window : 0);
  }

  /** Takes part from now on; a closed loop fills its window. */
  join(nowMs: number): void {
    this.joined = true;
    this.socket.setUser(this);
    if (this.phase.openLoop || !this.socket.ready) return;
    this.refill(this.window, nowMs);
  }

  /** Leaves; what is still unanswered stays so. */
  leave(): void {
    this.socket.setUser(null);
  }

  get idle(): boolean {
    return this.head === this.tail;
  }

  /** Requests sent or due that have no reply yet. */
  get unanswered(): number {
    return this.tail - this.head;
  }

  /** What waits for a reply will get none: it counts as long as it waited. */
  giveUp(nowMs: number): void {
    this.countUnanswered(this.tail, nowMs);
  }

  get windowFull(): boolean {
    return !this.socket.ready || this.tail - this.head >= this.window;
  }

  get backlogFull(): boolean {
    return this.tail - this.head > this.mask;
  }

  /** Adds the replies since the last call to the count of the server that the connection is at. */
  credit(byServer: Float64Array): void {
    byServer[this.socket.serverIndex]! += this.head - this.credited;
    this.credited = this.head;
  }

  /** Adds a request that is (or was) due at `dueMs`; `flush` sends. */
  offer(dueMs: number): void {
    this.due[this.tail & this.mask] = dueMs;
    this.tail++;
  }

  /** Sends what is due as far as the window allows. */
  flush(nowMs: number): void {
    const count = Math.min(this.tail - this.sent, this.window - (this.sent - this.head));
    if (count <= 0 || !this.socket.ready) return;
    for (let i = 0; i < count; i++) this.sentAt[(this.sent + i) & this.mask] = nowMs;
    this.send(count, nowMs);
    this.sent += count;
  }

  /** Once a millisecond where time matters: wakes places whose think time is over. */
  tick(nowMs: number): void {
    let awake = 0;
    while (this.restHead < this.restTail && this.restUntil[this.restHead % this.window]! <= nowMs) {
      this.restHead++;
      awake++;
    }
    if (awake > 0) this.offerNow(awake, nowMs);
  }

  onSession(): void {
    if (!this.joined) return;
    const nowMs = performance.now();
    this.restHead = this.restTail;
    if (this.phase.openLoop) this.flush(nowMs);
    else this.refill(this.window, nowMs);
  }

  onData(buffer: ReadBuffer, length: number, nowMs: number): void {
    const { phase } = this;
    phase.roll(nowMs);
    if (!this.receive(buffer, length, nowMs)) {
      phase.onDisorder();
      this.socket.drop();
    }
    const count = phase.onReplies(nowMs);
    if (phase.openLoop) this.flush(nowMs);
    else if (count > 0) this.afterReplies(count, nowMs);
  }

  onLost(): void {
    const nowMs = performance.now();
    this.phase.onLost(this.sent - this.head, nowMs);
    this.countUnanswered(this.sent, nowMs);
    this.credit(this.phase.answeredByServer);
    this.forget();
    this.head = this.sent;
    this.credited = this.head;
  }

  /** Writes the next `count` requests, which begin at position `sent`. */
  protected abstract send(count: number, nowMs: number): void;

  /** Takes the replies of a chunk; false when they are not those that must come. */
  protected abstract receive(buffer: ReadBuffer, length: number, nowMs: number): boolean;

  /** The session is gone, and with it everything between `head` and `sent`. */
  protected abstract forget(): void;

  /** The label of the request at a position from `head` on, which may be unsent. */
  protected abstract labelAt(position: number): number;

  private countUnanswered(end: number, nowMs: number): void {
    for (let position = this.head; position < end; position++) {
      const at = position & this.mask;
      const sentMs = position < this.sent ? this.sentAt[at]! : null;
      this.phase.onUnanswered(this.labelAt(position), this.due[at]!, sentMs, nowMs);
    }
  }

  private afterReplies(count: number, nowMs: number): void {
    if (this.thinkTimeMs === 0) {
      this.refill(count, nowMs);
      return;
    }
    for (let i = 0; i < count; i++) {
      this.restUntil[this.restTail++ % this.window] = nowMs + this.thinkTimeMs;
    }
  }

  private refill(count: number, nowMs: number): void {
    this.offerNow(this.phase.grant(count, nowMs), nowMs);
  }

  private offerNow(count: number, nowMs: number): void {
    const granted = this.thinkTimeMs === 0 ? count : this.phase.grant(count, nowMs);
    for (let i = 0; i < granted; i++) this.offer(nowMs);
    this.flush(nowMs);
  }
}
