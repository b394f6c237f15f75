/**
 * Log lines about limits that clients have run into: the core counts them as they happen, this looks at the counts once
 * per tick. The first of a kind is told at once, what follows within a minute together. Core thread.
 */
import { joinHalves } from '../../base/int64.ts';
import type { ClientLimit } from '../../core/client/limit-ends.ts';
import type { Incarnations } from '../../core/incarnations.ts';
import type { Replica } from '../../core/replica.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { Log } from '../logging/logging.ts';

const BETWEEN_LINES_MS = 60_000;

export class LimitLines {
  private readonly incarnations: Incarnations;
  private readonly config: ServerConfig;
  private readonly log: Log;
  private toldRefused = 0;
  private nextRefusedMs = 0;
  private toldEnds = 0;
  private nextEndsMs = 0;

  constructor(incarnations: Incarnations, config: ServerConfig, log: Log) {
    this.incarnations = incarnations;
    this.config = config;
    this.log = log;
  }

  private get replica(): Replica {
    return this.incarnations.replica;
  }

  /** At a clean stop: what would have been told later. */
  end(): void {
    this.onTick(Number.POSITIVE_INFINITY);
  }

  onTick(nowMs: number): void {
    const { refusedForSpace } = this.replica.parts.statistics;
    if (refusedForSpace !== this.toldRefused && nowMs >= this.nextRefusedMs) {
      this.tellOfFullStore(refusedForSpace - this.toldRefused);
      this.toldRefused = refusedForSpace;
      this.nextRefusedMs = nowMs + BETWEEN_LINES_MS;
    }
    const { total } = this.replica.parts.clients.limitEnds;
    if (total !== this.toldEnds && nowMs >= this.nextEndsMs) {
      this.tellOfEnds(total - this.toldEnds);
      this.toldEnds = total;
      this.nextEndsMs = nowMs + BETWEEN_LINES_MS;
    }
  }

  private tellOfFullStore(refused: number): void {
    this.log.warn('the znode store is nearly full: new znodes and larger data are refused', {
      refused,
      setting: `ringkeeper.storeBytesMax=${this.config.storeBytesMax}`,
    });
  }

  private tellOfEnds(connections: number): void {
    const { lastLimit, lastAddress, lastSession } = this.replica.parts.clients.limitEnds;
    const { sessions } = this.replica.parts;
    const isKnown = lastSession >= 0 && sessions.exists(lastSession);
    this.log.warn('connections were closed at a limit for clients; the last of them:', {
      connections,
      limit: this.textOf(lastLimit!),
      address: lastAddress,
      ...(isKnown
        ? {
            session: `0x${joinHalves(sessions.idHigh[lastSession]!, sessions.idLow[lastSession]!).toString(16)}`,
          }
        : {}),
    });
  }

  private textOf(limit: ClientLimit): string {
    switch (limit) {
      case 'watchesOfConnection':
        return `ringkeeper.watchBytesPerConnectionMax=${this.config.watchBytesPerConnectionMax}`;
      case 'watchesOfAll':
        return `ringkeeper.watchBytesMax=${this.config.watchBytesMax}, and it had the most watches`;
      case 'unreadEvents':
        return '16 MiB of watch events that it did not read';
      case 'heldReplies':
        return '16 MiB of replies that it did not read';
      case 'unreadWord':
        return 'the answer to a four-letter word that it did not read while others waited for theirs';
    }
  }
}
