/**
 * One recorded request on its way through a replay. It meets two replies, the recorded and the replayed one, in any
 * order; when it has both it is compared and forgotten.
 *
 *     open --reply--> replied      open --connection lost--> lost      open --client left, as recorded--> abandoned
 *     never sent: `skipped` (its credential was not recorded) or `unsent` (its connection is gone for good)
 */
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import { Fifo } from './fifo.ts';
import type { OrderPoint } from './observed-order.ts';
import type { RequestRecord } from './recording-format.ts';
import { opOf, pathOf, type SequentialCreates, sequentialCreates, xidOf } from './request-facts.ts';

/** When a record should have been acted on, and when it was its connection's turn; both on `performance.now()`. */
export interface Due {
  readonly dueMs: number;
  /** Later than `dueMs` when the replay itself was late. */
  readonly handedMs: number;
  /** Of a request: its place among those of other connections; null when it has none. */
  readonly order: OrderPoint | null;
}

export interface Exchange extends Due {
  /** `createSession` for the handshake. */
  readonly op: number;
  readonly xid: number;
  readonly path: string | null;
  /** Recorded connection and time, us. */
  readonly connection: number;
  readonly requestUs: number;
  readonly sentMs: number;
  readonly creates: SequentialCreates | null;
  state: 'open' | 'replied' | 'lost' | 'abandoned' | 'skipped' | 'unsent';
  /** Null until the reply is known. */
  recordedError: number | null;
  replayedError: number | null;
  /** What the recorded reply named, while the replayed one is not there. */
  recordedNames: readonly string[];
  replayedNames: readonly string[];
}

const NO_NAMES: readonly string[] = [];

/** A request that is sent now. */
export function exchangeFor(record: RequestRecord, connection: number, due: Due): Exchange {
  const { frame } = record;
  const op = opOf(frame);
  return {
    op,
    xid: xidOf(frame),
    path: pathOf(op, frame),
    connection,
    requestUs: record.timeUs,
    dueMs: due.dueMs,
    handedMs: due.handedMs,
    order: due.order,
    sentMs: performance.now(),
    creates: sequentialCreates(op, frame),
    state: 'open',
    recordedError: null,
    replayedError: null,
    recordedNames: NO_NAMES,
    replayedNames: NO_NAMES,
  };
}

/** A ConnectRequest that is sent now; it has neither xid nor op. */
export function handshakeExchange(record: RequestRecord, connection: number, due: Due): Exchange {
  return {
    op: OpCode.createSession,
    xid: 0,
    path: null,
    connection,
    requestUs: record.timeUs,
    dueMs: due.dueMs,
    handedMs: due.handedMs,
    order: due.order,
    sentMs: performance.now(),
    creates: null,
    state: 'open',
    recordedError: null,
    replayedError: null,
    recordedNames: NO_NAMES,
    replayedNames: NO_NAMES,
  };
}

/**
 * Requests that wait for replies, on one connection. Replies come in the order of the requests, but for three kinds
 * with xids of their own, which servers may answer out of turn; each kind keeps its own order.
 */
export class Lanes<T> {
  private readonly ordinary = new Fifo<T>();
  private readonly pings = new Fifo<T>();
  private readonly auths = new Fifo<T>();
  private readonly setWatches = new Fifo<T>();

  of(xid: number): Fifo<T> {
    switch (xid) {
      case SpecialXid.ping:
        return this.pings;
      case SpecialXid.auth:
        return this.auths;
      case SpecialXid.setWatches:
        return this.setWatches;
      default:
        return this.ordinary;
    }
  }

  /** Takes all, kind by kind. */
  *drain(): Generator<T> {
    for (const lane of [this.ordinary, this.pings, this.auths, this.setWatches]) {
      for (let item = lane.shift(); item !== undefined; item = lane.shift()) yield item;
    }
  }
}
