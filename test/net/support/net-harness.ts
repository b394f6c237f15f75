/**
 * A listener and connection table on a free loopback port, with a scripted port behind them: it answers frames at
 * once (`echo`) or keeps them until the test answers (`hold`), and records everything it is told.
 */
import { AcceptLimits, createAcceptLimits } from '../../../src/net/accept-limits.ts';
import type { ConnectionLimits } from '../../../src/net/client-connection.ts';
import { ClientListener } from '../../../src/net/client-listener.ts';
import { ConnectionTable } from '../../../src/net/connection-table.ts';
import type { NetReports } from '../../../src/net/net-reports.ts';
import { nodeTransport } from '../../../src/net/node-transport.ts';
import { createReplyMemory, ReplyMemory, type ReplyMemoryHandle } from '../../../src/net/reply-memory.ts';
import type { BacklogObserver, RequestPort } from '../../../src/net/request-port.ts';
import { HASH_KEY } from '../../core/support/hash.ts';

export const TEST_LIMITS: ConnectionLimits = {
  frameBytesMax: 0xfffff,
  windowRequests: 1000,
  windowBytes: 4 * 1024 * 1024,
  outstandingMax: 16_000,
  replyBacklogBytesMax: 1024 * 1024,
  replyBacklogBytesHardMax: 64 * 1024 * 1024,
  sessionlessTimeoutMs: 10_000,
};

export interface HarnessOptions {
  readonly limits?: Partial<ConnectionLimits>;
  readonly slotCount?: number;
  readonly connectionsMax?: number;
  readonly perAddressMax?: number;
  readonly memory?: ReplyMemoryHandle;
  readonly io?: number;
  readonly reply?: 'echo' | 'hold';
}

export class NetHarness implements RequestPort, BacklogObserver, NetReports {
  readonly table: ConnectionTable;
  readonly acceptLimits: AcceptLimits;
  /** `connect 0`, `frame 0 <hex>`, `word 0 <int32>`, `disconnect 0`, in order. */
  readonly log: string[] = [];
  readonly held: { readonly conn: number; readonly payload: Buffer }[] = [];
  readonly settled: number[] = [];
  /** What the operator's log would hear of. */
  readonly reported: string[] = [];
  reply: 'echo' | 'hold';
  /** Frames are refused as by a full ring. */
  refusing = false;
  releases = true;
  /** Words are not answered: the test does. */
  holdsWords = false;
  port = 0;
  private readonly listener: ClientListener;
  private turnScheduled = false;

  constructor(options: HarnessOptions) {
    this.reply = options.reply ?? 'echo';
    this.acceptLimits = new AcceptLimits(
      createAcceptLimits(options.connectionsMax ?? 0, options.perAddressMax ?? 0, HASH_KEY),
    );
    this.table = new ConnectionTable({
      limits: { ...TEST_LIMITS, ...options.limits },
      slotCount: options.slotCount ?? 1024,
      idBase: 0,
      nowMs: 0,
      memory: new ReplyMemory(options.memory ?? createReplyMemory(2 ** 30, 1), options.io ?? 0),
      reports: this,
      onGone: (admission) => this.acceptLimits.leave(admission),
      scheduleTurn: () => this.scheduleTurn(),
    });
    this.table.attach(this, this);
    this.listener = new ClientListener(this.table, this.acceptLimits, false, nodeTransport);
  }

  static async start(options: HarnessOptions = {}): Promise<NetHarness> {
    const harness = new NetHarness(options);
    harness.port = await harness.listener.listen({
      address: '127.0.0.1',
      port: 0,
      backlog: -1,
      reusePort: false,
      keepAlive: false,
    });
    return harness;
  }

  async stop(): Promise<void> {
    this.listener.close();
    this.table.destroyAll();
    await until(() => this.table.counters.open === 0);
  }

  onConnect(conn: number): void {
    this.log.push(`connect ${conn}`);
  }

  onFrame(conn: number, bytes: Uint8Array, _view: DataView, start: number, end: number): boolean {
    if (this.refusing) return false;
    const payload = Buffer.from(bytes.subarray(start, end));
    this.log.push(`frame ${conn} ${payload.toString('hex')}`);
    if (this.reply === 'echo') this.answer(conn, payload);
    else this.held.push({ conn, payload });
    return true;
  }

  onDisconnect(conn: number): void {
    this.log.push(`disconnect ${conn}`);
    if (this.releases) this.table.release(conn);
  }

  onFourLetterWord(conn: number, word: number, argument: bigint | null): void {
    this.log.push(`word ${conn} ${word}${argument === null ? '' : ` ${argument}`}`);
    if (this.holdsWords) return;
    this.send(conn, Buffer.from('imok'), false);
    this.table.shutdown(conn);
  }

  refused(_address: string, isOfAddress: boolean): void {
    this.reported.push(`refused ${isOfAddress}`);
  }

  badLength(_address: string, _port: number, length: number): void {
    this.reported.push(`length ${length}`);
  }

  unread(_address: string, _port: number, _bytes: number, isOfAll: boolean): void {
    this.reported.push(`unread ${isOfAll}`);
  }

  onChunkEnd(): void {
    this.scheduleTurn();
  }

  onSettled(_slot: number, bytes: number): void {
    this.settled.push(bytes);
  }

  /** Answers with the frame that carries `payload`. */
  answer(conn: number, payload: Buffer): void {
    const frame = Buffer.alloc(4 + payload.length);
    frame.writeInt32BE(payload.length);
    payload.copy(frame, 4);
    this.send(conn, frame, true);
  }

  /** Answers the first `count` frames held back. */
  answerHeld(count: number): void {
    for (const { conn, payload } of this.held.splice(0, count)) this.answer(conn, payload);
    this.table.flush();
  }

  send(conn: number, bytes: Buffer, completesReply: boolean): void {
    const slab = this.table.claim(conn, bytes.length);
    bytes.copy(slab.bytes, slab.used);
    this.table.commit(conn, bytes.length, completesReply);
  }

  count(kind: string): number {
    return this.log.filter((line) => line.startsWith(kind)).length;
  }

  private scheduleTurn(): void {
    if (this.turnScheduled) return;
    this.turnScheduled = true;
    setImmediate(() => {
      this.turnScheduled = false;
      this.table.flush();
      this.table.continueStopped();
    });
  }
}

/** Lets the event loop turn until `condition` holds; the test runner's timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Lets the event loop turn `turns` times, for asserting that nothing happens. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
