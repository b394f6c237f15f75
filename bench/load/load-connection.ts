/**
 * One session of the load: keeps up to `window` requests in flight, sends them in batches straight from the
 * phase's tape, and matches replies by their order, which ZooKeeper guarantees per session (a reply out of
 * order is a fault of the server and is counted as one). Runs on a generator worker, inside the callbacks of
 * its socket; allocates per batch, never per request.
 *
 * Positions count requests of the phase; the ring of due times is the only per-request state:
 *
 *          head          sent            tail
 *     ------|-------------|---------------|------>      closed loop: tail == sent
 *      done    in flight       due, waiting             open loop, `backlog`: due times wait for the window
 *
 *     connecting --connected--> handshaking --ConnectResponse--> ready --close--> lost
 *     lost --in a phase, after a short delay--> connecting
 */
import { createConnection, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import { FrameSkimmer, REPLY_HEAD_BYTES } from './frame-skimmer.ts';
import { connectFrame, requestFrame } from './frames.ts';
import type { LoadPhase } from './load-phase.ts';

const SESSION_TIMEOUT_MS = 30_000;
const RECONNECT_DELAY_MS = 50;
const CLOSE_XID = 1;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where all sockets of a worker read into: callbacks are synchronous, so they never overlap. */
export interface ReadBuffer {
  readonly bytes: Buffer;
  readonly view: DataView;
}

type State = 'lost' | 'connecting' | 'handshaking' | 'ready' | 'closed';

export class LoadConnection {
  private readonly address: Address;
  private readonly readBuffer: ReadBuffer;
  private readonly skimmer = new FrameSkimmer(REPLY_HEAD_BYTES);
  private readonly due: Float64Array;
  private readonly dueMask: number;
  private readonly window: number;
  private state: State = 'lost';
  private socket: Socket | null = null;
  private onReady: ((error: Error | null) => void) | null = null;
  private phase: LoadPhase | null = null;
  private head = 0;
  private sent = 0;
  private tail = 0;
  /** Tape slots of the next request to send and of the next reply to come. */
  private sendSlot = 0;
  private replySlot = 0;

  /** At most `window` requests in flight and `backlogMax` more that are due and wait. */
  constructor(address: Address, readBuffer: ReadBuffer, window: number, backlogMax: number) {
    this.address = address;
    this.readBuffer = readBuffer;
    this.window = window;
    const capacity = 2 ** Math.ceil(Math.log2(window + backlogMax));
    this.due = new Float64Array(capacity);
    this.dueMask = capacity - 1;
  }

  /** Resolves when the session is open. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onReady = (error) => (error === null ? resolve() : reject(error));
      this.connect();
    });
  }

  /** Joins a phase, at a slot of its own so that connections do not walk the keys in step. */
  begin(phase: LoadPhase, firstSlot: number): void {
    this.phase = phase;
    this.head = this.sent = this.tail = 0;
    this.sendSlot = this.replySlot = firstSlot;
    if (this.state === 'lost') this.connect();
  }

  get idle(): boolean {
    return this.head === this.tail;
  }

  /** Requests sent or due that have no reply yet. */
  get unanswered(): number {
    return this.tail - this.head;
  }

  get windowFull(): boolean {
    return this.state !== 'ready' || this.tail - this.head >= this.window;
  }

  get backlogFull(): boolean {
    return this.tail - this.head > this.dueMask;
  }

  /** Adds a request that is (or was) due at `dueMs`; `flush` sends. */
  offer(dueMs: number): void {
    this.due[this.tail & this.dueMask] = dueMs;
    this.tail++;
  }

  /** Closed loop: fills the window. */
  prime(): void {
    if (this.state === 'ready') this.refill(this.window, performance.now());
  }

  flush(): void {
    const count = Math.min(this.tail - this.sent, this.window - (this.sent - this.head));
    if (count <= 0 || this.state !== 'ready') return;
    const tape = this.phase!.tape;
    const slot = this.sendSlot;
    this.socket!.write(tape.bytes.subarray(tape.offsets[slot]!, tape.offsets[slot + count]!));
    this.sent += count;
    this.sendSlot = (slot + count) % tape.slotCount;
  }

  /** Keeps the session of a connection that has little to do. */
  ping(): void {
    if (this.state === 'ready') this.socket!.write(requestFrame(SpecialXid.ping, { op: OpCode.ping }));
  }

  /** Leaves the phase; what is still unanswered stays so. */
  end(): void {
    this.phase = null;
  }

  close(): void {
    const wasReady = this.state === 'ready';
    this.state = 'closed';
    if (wasReady) this.socket!.end(requestFrame(CLOSE_XID, { op: OpCode.closeSession }));
    else this.socket?.destroy();
  }

  private connect(): void {
    const { host, port } = this.address;
    this.state = 'connecting';
    this.skimmer.reset();
    const socket = createConnection({
      host,
      port,
      noDelay: true,
      onread: { buffer: this.readBuffer.bytes, callback: (length) => this.onChunk(length) },
    });
    this.socket = socket;
    socket.on('connect', () => {
      this.state = 'handshaking';
      socket.write(connectFrame(SESSION_TIMEOUT_MS));
    });
    socket.on('error', (error) => this.settle(error));
    socket.on('close', () => this.onClose());
  }

  private onChunk(length: number): boolean {
    const now = performance.now();
    const skimmer = this.skimmer;
    skimmer.begin(this.readBuffer.view, 0, length);
    if (this.state === 'handshaking' && !this.onHandshake()) return true;
    const phase = this.phase;
    if (phase === null || this.state !== 'ready') return true;
    const before = this.head;
    const slotCount = phase.tape.slotCount;
    while (skimmer.next()) {
      if (skimmer.word1 !== this.replySlot + 1 || this.head === this.sent) {
        if (skimmer.word1 === SpecialXid.ping) continue;
        phase.onDisorder();
        this.socket!.destroy();
        return true;
      }
      phase.onReply(phase.tape.ops[this.replySlot]!, this.due[this.head & this.dueMask]!, now, skimmer.word4);
      this.head++;
      if (++this.replySlot === slotCount) this.replySlot = 0;
    }
    if (skimmer.malformed) this.socket!.destroy();
    const count = this.head - before;
    phase.onReplies(count, now);
    if (phase.closedLoop) this.refill(count, now);
    else this.flush();
    return true;
  }

  private refill(count: number, now: number): void {
    const grant = this.phase!.grant(count, now);
    for (let i = 0; i < grant; i++) this.offer(now);
    this.flush();
  }

  /** ConnectResponse: word1 = protocolVersion, word2 = timeOut, which is 0 when the session was refused. */
  private onHandshake(): boolean {
    if (!this.skimmer.next()) return false;
    if (this.skimmer.word2 <= 0) {
      this.settle(new Error('the server refused the session'));
      this.socket!.destroy();
      return false;
    }
    this.state = 'ready';
    this.settle(null);
    if (this.phase !== null) {
      if (this.phase.closedLoop) this.prime();
      else this.flush();
    }
    return true;
  }

  /** Mid-phase the session is replaced by a new one; what was in flight has an unknown outcome. */
  private onClose(): void {
    if (this.state === 'closed') return;
    this.state = 'lost';
    this.settle(new Error('the server closed the connection'));
    const phase = this.phase;
    if (phase === null) return;
    phase.onLost(this.sent - this.head);
    this.head = this.sent;
    this.replySlot = this.sendSlot;
    setTimeout(() => {
      if (this.phase !== null && this.state === 'lost') this.connect();
    }, RECONNECT_DELAY_MS);
  }

  private settle(error: Error | null): void {
    this.onReady?.(error);
    this.onReady = null;
  }
}
