/**
 * The requests of one replayed connection that are not done with: which wait for a reply of the target, and which for
 * their recorded reply to pass. A request leaves the first list when the target answers and the second when the
 * recording does; when it has left both, it is judged.
 */
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import { type Exchange, Lanes } from './exchange.ts';
import type { PathMap } from './path-map.ts';
import type { ReplyRecord } from './recording-format.ts';
import type { ReplayTally } from './replay-tally.ts';
import { hasOwnXid, namesInReply, replyError } from './request-facts.ts';

export class ExchangeLedger {
  /** Requests that the target has not answered. */
  inFlightCount = 0;
  /** Those of them whose recorded reply has passed: the recorded client did not leave without it. */
  owed = 0;
  private readonly tally: ReplayTally;
  private readonly paths: PathMap;
  /** Null: a ping of the replay's own. */
  private readonly inFlight = new Lanes<Exchange | null>();
  private readonly expected = new Lanes<Exchange>();

  constructor(tally: ReplayTally, paths: PathMap) {
    this.tally = tally;
    this.paths = paths;
  }

  sent(exchange: Exchange): void {
    this.tally.onSent(exchange);
    this.inFlight.of(exchange.xid).push(exchange);
    this.expected.of(exchange.xid).push(exchange);
    this.inFlightCount++;
  }

  ownPing(): void {
    this.inFlight.of(SpecialXid.ping).push(null);
  }

  /** Its credential was not recorded. */
  skipped(exchange: Exchange): void {
    exchange.state = 'skipped';
    exchange.order?.finish();
    this.tally.onSkipped(exchange);
    this.expected.of(exchange.xid).push(exchange);
  }

  /** Its connection is gone for good. */
  unsent(exchange: Exchange, waited: boolean): void {
    exchange.state = 'unsent';
    exchange.order?.finish();
    this.tally.onUnsent(exchange, waited, performance.now());
    this.expected.of(exchange.xid).push(exchange);
  }

  /** A recorded reply passes. False when `mayOwe` is false and the target has not answered yet: ask again later. */
  recordedReply(record: ReplyRecord, mayOwe: boolean): boolean {
    const lane = this.expected.of(record.xid);
    const exchange = lane.peek();
    if (exchange === undefined) {
      for (const name of record.names) this.paths.learn(name, null);
      return true;
    }
    if (exchange.state === 'open' && !mayOwe) return false;
    lane.shift();
    exchange.recordedError = record.err;
    exchange.recordedNames = record.names;
    this.tally.onRecordedReply(exchange, record.timeUs);
    if (exchange.state === 'open') this.owed++;
    else this.join(exchange);
    return true;
  }

  /** Whether the next reply's body has something to look at. */
  wantsBody(xid: number, err: number): boolean {
    if (err !== ErrorCode.ok || xid === SpecialXid.notification || hasOwnXid(xid)) return false;
    const exchange = this.inFlight.of(xid).peek();
    return exchange != null && (exchange.op === OpCode.multi || exchange.creates !== null);
  }

  /** The target answers. */
  reply(xid: number, err: number, body: Uint8Array | null): void {
    const exchange = this.inFlight.of(xid).shift();
    if (exchange === null) return;
    if (exchange === undefined || exchange.xid !== xid) this.tally.disorder++;
    if (exchange === undefined) return;
    this.inFlightCount--;
    exchange.state = 'replied';
    exchange.replayedError = replyError(exchange.op, err, body);
    if (exchange.creates !== null && body !== null && exchange.replayedError === ErrorCode.ok) {
      exchange.replayedNames = namesInReply(exchange.op, exchange.creates, body);
    }
    this.tally.onReply(exchange, performance.now());
    if (exchange.recordedError !== null) {
      this.owed--;
      this.join(exchange);
    }
    // Behind `join`: who waited may use the names that it learned.
    exchange.order?.finish();
  }

  /** The connection broke. */
  lose(): void {
    const nowMs = performance.now();
    for (const exchange of this.takeInFlight()) {
      exchange.state = 'lost';
      this.tally.onLost(exchange, nowMs);
      if (exchange.recordedError !== null) this.join(exchange);
    }
  }

  /** The client leaves without waiting, as the recorded one did. */
  abandon(): void {
    for (const exchange of this.takeInFlight()) {
      exchange.state = 'abandoned';
      this.tally.onAbandoned(exchange);
    }
    this.forgetExpected();
  }

  /** The replay is over. */
  giveUp(): void {
    const nowMs = performance.now();
    for (const exchange of this.takeInFlight()) this.tally.onUnanswered(exchange, nowMs);
    this.forgetExpected();
  }

  private *takeInFlight(): Generator<Exchange> {
    this.inFlightCount = 0;
    this.owed = 0;
    for (const exchange of this.inFlight.drain()) {
      if (exchange === null) continue;
      yield exchange;
      exchange.order?.finish(); // whatever became of it: nobody waits for ever
    }
  }

  /** Requests that the recording has no reply to. */
  private forgetExpected(): void {
    for (const exchange of this.expected.drain()) {
      if (exchange.state === 'replied') this.tally.onUncompared(exchange, performance.now());
    }
  }

  /** The recorded result is known, and what became of the request here. */
  private join(exchange: Exchange): void {
    exchange.recordedNames.forEach((name, i) => {
      const replayed = exchange.replayedNames[i] ?? null;
      if (replayed !== null && replayed !== name) this.tally.namesMapped++;
      this.paths.learn(name, replayed);
    });
    if (exchange.state === 'replied') this.tally.compare(exchange, performance.now());
  }
}
