/** What all connections of a replay share. */
import type { Address } from '../base/address.ts';
import type { PathMap } from './path-map.ts';
import type { SessionBook } from './replay-sessions.ts';
import type { ReplayTally } from './replay-tally.ts';

export interface ReplayContext {
  readonly targets: readonly Address[];
  /** False at full speed: recorded replies hold back what came behind them. */
  readonly timed: boolean;
  /** The recording has its passwords. */
  readonly credentialsKept: boolean;
  /** Requests in flight on one connection, at most. */
  readonly outstandingMax: number;
  /** A connection without any server for so long is given up. */
  readonly reconnectMsMax: number;
  /** Where all sockets read into: their callbacks never overlap. */
  readonly readBuffer: Buffer;
  readonly tally: ReplayTally;
  readonly paths: PathMap;
  readonly sessions: SessionBook;
  readonly backlog: Backlog;
  /** Some connection got on: there may be room for more. */
  onProgress(): void;
  /** The connection is done with. */
  onFinished(connection: number): void;
}

/** Records that are due and could not be done yet, over all connections. */
export class Backlog {
  items = 0;
  bytes = 0;
  bytesPeak = 0;

  add(bytes: number): void {
    this.items++;
    this.bytes += bytes;
    if (this.bytes > this.bytesPeak) this.bytesPeak = this.bytes;
  }

  remove(bytes: number): void {
    this.items--;
    this.bytes -= bytes;
  }
}
