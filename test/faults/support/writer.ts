/** One session that writes as fast as its window allows, through as many restarts of the server as there are. */
import assert from 'node:assert/strict';
import { RawClient } from '../../support/raw-client.ts';
import { create } from './requests.ts';
import { type Operation, SEQUENCES, type WriterModel } from './writer-model.ts';

export const SESSION_TIMEOUT_MS = 40_000;
const WINDOW = 48;

export interface Session {
  readonly sessionId: bigint;
  readonly password: Uint8Array;
}

export class Writer {
  readonly model: WriterModel;
  session: Session | null = null;
  /** What is under way is awaited, and nothing more is sent. */
  private isEnough = false;
  private dropping = Promise.withResolvers<void>();
  private client: RawClient | null = null;
  private readonly pending: Operation[] = [];

  constructor(model: WriterModel) {
    this.model = model;
  }

  /** Goes on with its session, or begins one. */
  async connect(port: number): Promise<void> {
    const known = this.session ?? {};
    this.client = await this.open(RawClient.open(port, { timeoutMs: SESSION_TIMEOUT_MS, ...known }));
    if (this.session === null) this.model.onSessionOpened();
    else assert.equal(this.client.session.sessionId, this.session.sessionId, 'the session is gone');
    this.session = this.client.session;
  }

  /** Ends `run` in order. */
  finish(): void {
    this.isEnough = true;
  }

  /** Ends `run` with whatever is under way left open. */
  drop(): void {
    this.client?.destroy();
    this.dropping.resolve();
    this.dropping = Promise.withResolvers<void>();
  }

  /** A server that stands still may not answer for long; nobody waits for it who was dropped. */
  private async open(opening: Promise<RawClient>): Promise<RawClient> {
    const client = await Promise.race([opening, this.dropping.promise]);
    if (client !== undefined) return client;
    opening.then(
      (late) => late.destroy(),
      () => {},
    );
    throw new Error('this side closed the connection');
  }

  /** Keeps operations in flight until the server is gone, or it is told to end. */
  async run(port: number, onAcknowledged: (created: string | null) => void): Promise<void> {
    this.pending.length = 0;
    this.isEnough = false;
    try {
      for (;;) {
        const isFull = (): boolean => this.pending.length >= WINDOW || this.isEnough;
        while (!isFull() && !this.model.isSessionClosed) this.send();
        if (this.pending.length === 0 && this.isEnough) break;
        const created = await this.take();
        this.model.acknowledge(created);
        onAcknowledged(created);
        if (this.pending.length === 0 && this.model.isSessionClosed) await this.connectAnew(port);
      }
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
    }
  }

  private async connectAnew(port: number): Promise<void> {
    this.session = null;
    await this.connect(port);
  }

  private send(): void {
    const operation = this.model.next();
    this.pending.push(operation);
    this.client!.send(operation.request.op, operation.request.body);
  }

  private async take(): Promise<string | null> {
    const { err, body } = await this.client!.reply();
    const { request, fails } = this.pending.shift()!;
    assert.equal(err, 0, `${this.model.name}: opcode ${request.op}`);
    if (fails) assert.equal(body.int(), -1, 'a multi that cannot succeed has succeeded');
    const path = body.remaining > 0 && request.op === create('').op ? body.string()! : '';
    return path.startsWith(`${SEQUENCES}/`) ? path.slice(SEQUENCES.length + 1) : null;
  }
}

/** The server is gone, or was before the connection. */
export function isConnectionLoss(error: unknown): boolean {
  const { message, code } = error as NodeJS.ErrnoException;
  return /closed the connection/.test(message) || code === 'ECONNREFUSED' || code === 'ECONNRESET';
}
