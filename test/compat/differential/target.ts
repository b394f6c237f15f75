/**
 * One of the two servers of a differential run, with its client slots. A step's end is found without waiting for time
 * to pass: every connection is sent a ping afterwards, and pings travel the server's pipeline in order, so that
 * whatever the step caused has arrived before the ping's reply.
 */
import { OpCode } from '../../../src/wire/opcodes.ts';
import { JuteReader } from '../../support/jute.ts';
import { frame, parseConnectAnswer, RawConnection, requestFrame } from '../../support/raw-client.ts';
import { connectRequest } from '../../support/request-bodies.ts';
import type { TestServer } from '../../support/server.ts';
import type { Received, StepOutcome } from './comparer.ts';
import { Normaliser } from './normaliser.ts';
import { OpenMode, type Request, SLOT_COUNT, type Step } from './step.ts';

const PING_XID = -2;
const UNREACHABLE_ZXID = 2n ** 60n;

export interface Session {
  readonly sessionId: bigint;
  readonly password: Uint8Array;
}

interface Slot {
  connection: RawConnection | undefined;
  sessionId: bigint;
  password: Uint8Array;
}

export class Target {
  readonly server: TestServer;
  readonly normaliser = new Normaliser();
  private readonly slots: Slot[] = [];

  constructor(server: TestServer) {
    this.server = server;
    for (let i = 0; i < SLOT_COUNT; i++) {
      this.slots.push({ connection: undefined, sessionId: 0n, password: new Uint8Array(16) });
    }
  }

  async perform(step: Step): Promise<StepOutcome> {
    const zxidBefore = this.normaliser.zxidMax;
    let connect: StepOutcome['connect'];
    const received: Received[] = [];
    switch (step.kind) {
      case 'requests':
        received.push(await this.exchange(step.slot, step.requests));
        break;
      case 'open':
        connect = await this.open(step);
        break;
      case 'drop':
        this.slots[step.slot]!.connection?.destroy();
        this.slots[step.slot]!.connection = undefined;
        break;
      case 'garbage':
        received.push(await this.garbage(step.slot, step.bytes));
        break;
    }
    const acting = step.slot;
    const others = this.slots.map((slot, index) =>
      slot.connection !== undefined && index !== acting ? index : -1,
    );
    received.push(
      ...(await Promise.all(others.filter((index) => index >= 0).map((index) => this.exchange(index, [])))),
    );
    return { connect, received, zxidBefore, zxidAfter: this.normaliser.zxidMax };
  }

  /** The sessions of the open connections. */
  openSessions(): Session[] {
    const open = this.slots.filter((slot) => slot.connection !== undefined);
    return open.map(({ sessionId, password }) => ({ sessionId, password }));
  }

  /** Ends every connection; the server is the caller's to stop. */
  dispose(): void {
    for (const slot of this.slots) slot.connection?.destroy();
  }

  /** Sends the requests and a ping in one write and gives everything up to the ping's reply. */
  private async exchange(slotIndex: number, requests: readonly Request[]): Promise<Received> {
    const slot = this.slots[slotIndex]!;
    const connection = slot.connection;
    if (connection === undefined) return { slot: slotIndex, frames: [], closed: true };
    const bytes = requests.map((request) => requestFrame(request.xid, request.op, request.body));
    const fence = requests.some((request) => request.ends) ? [] : [requestFrame(PING_XID, OpCode.ping)];
    connection.write(Buffer.concat([...bytes, ...fence]));
    const pingsWanted = requests.filter((request) => request.op === OpCode.ping).length + 1;
    let pings = 0;
    const payloads: Uint8Array[] = [];
    while (pings < pingsWanted) {
      const payload = await connection.nextFrame();
      if (payload === undefined) break;
      if (new JuteReader(payload).int() === PING_XID) pings++;
      payloads.push(payload);
    }
    const closed = pings < pingsWanted;
    if (closed) slot.connection = undefined;
    return {
      slot: slotIndex,
      frames: payloads.map((payload) => this.normaliser.frame(payload, requests)),
      closed,
    };
  }

  private async open(step: Extract<Step, { kind: 'open' }>): Promise<StepOutcome['connect']> {
    const slot = this.slots[step.slot]!;
    const old = slot.connection;
    const fresh = step.mode === OpenMode.fresh || step.mode === OpenMode.aheadOfServer;
    if (fresh) old?.destroy();
    const connection = await RawConnection.open(this.server.port);
    const password = slot.password.slice();
    if (step.mode === OpenMode.wrongPassword) password[0] = password[0]! ^ 1;
    const request = connectRequest({
      timeoutMs: step.timeoutMs,
      lastZxidSeen: step.mode === OpenMode.aheadOfServer ? UNREACHABLE_ZXID : 0n,
      sessionId: fresh ? 0n : step.mode === OpenMode.unknownSession ? 0x0123456789n : slot.sessionId,
      password,
      ...(step.readOnly === undefined ? {} : { readOnly: step.readOnly }),
    });
    connection.write(frame(request));
    const payload = await connection.nextFrame();
    // Both a refused and an accepted reconnect end the old connection of the session; other modes leave it alone.
    const takesOver = step.mode === OpenMode.reconnect || step.mode === OpenMode.wrongPassword;
    if (takesOver && slot.sessionId !== 0n) await old?.serverClose();
    else old?.destroy();
    slot.connection = undefined;
    if (payload === undefined) return { closed: true };
    const answer = parseConnectAnswer(payload);
    if (answer.sessionId === 0n) {
      await connection.serverClose();
    } else {
      slot.connection = connection;
      slot.sessionId = answer.sessionId;
      slot.password = answer.password.slice();
    }
    return this.normaliser.connect(answer, fresh);
  }

  private async garbage(slotIndex: number | undefined, bytes: Uint8Array): Promise<Received> {
    const slot = slotIndex === undefined ? undefined : this.slots[slotIndex]!;
    const connection = slot?.connection ?? (await RawConnection.open(this.server.port));
    connection.write(bytes);
    const payloads: Uint8Array[] = [];
    for (;;) {
      const payload = await connection.nextFrame();
      if (payload === undefined) break;
      payloads.push(payload);
    }
    if (slot !== undefined) slot.connection = undefined;
    return {
      slot: slotIndex ?? -1,
      frames: payloads.map((payload) => this.normaliser.frame(payload, [])),
      closed: true,
    };
  }
}
