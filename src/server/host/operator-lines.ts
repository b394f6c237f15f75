/**
 * What the core tells an operator in its log, at bounded rates: what clients cause, those at a limit, digests of others
 * that differ. Core thread; its owner calls `onTick`, and `end` at a clean stop, so that nothing stays merely counted.
 */
import type { Incarnations } from '../../core/incarnations.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { Log } from '../logging/logging.ts';
import type { RepeatedLines } from '../reports/repeated-lines.ts';
import { DigestLines } from './digest-lines.ts';
import { LimitLines } from './limit-lines.ts';

export class OperatorLines {
  private readonly limits: LimitLines;
  private readonly digests: DigestLines;
  private readonly clients: RepeatedLines;

  /** `clients`: the lines that clients cause. */
  constructor(clients: RepeatedLines, incarnations: Incarnations, config: ServerConfig, log: Log) {
    this.clients = clients;
    this.limits = new LimitLines(incarnations, config, log);
    this.digests = new DigestLines(incarnations.surroundings.statistics, log);
  }

  onTick(nowMs: number): void {
    this.limits.onTick(nowMs);
    this.clients.flush();
    this.digests.onTick(nowMs);
  }

  end(): void {
    this.clients.end();
    this.limits.end();
    this.digests.end();
  }
}
