/**
 * What the core has counted since the server started; it outlives replicas. Core thread; read by whoever answers words.
 */
import { type Zxid, ZxidCell } from '../../base/zxid.ts';

export class Statistics {
  /** Transactions. */
  committed = 0;
  expiredSessions = 0;
  authFailures = 0;
  /** Writes refused because the znode store is nearly full. */
  refusedForSpace = 0;
  /**
   * Transactions of other servers whose digest is not the tree's after them: the tree differs from theirs, or they wrote
   * it wrong (Apache does under load). Counted and told, never a reason to end.
   */
  foreignDigestMismatches = 0;
  /** Of them. */
  readonly firstForeignMismatch = new ZxidCell();
  /** Transactions of other servers that do not fit this tree: a node that is not there, or is there already. */
  foreignMisfits = 0;
  /** Writes that went over a soft limit of a quota; they are let through. */
  softLimitWarnings = 0;
  /** Clients that have been kept over a leader change, and writes of theirs that no history had. */
  keptClients = 0;
  writesAskedAgain = 0;

  // What `srst` resets.
  packetsReceived = 0;
  packetsSent = 0;
  minLatencyMs = 0;
  maxLatencyMs = 0;
  totalLatencyMs = 0;
  latencyCount = 0;
  responseBytes = 0;
  lastResponseBytes = -1;
  minResponseBytes = -1;
  maxResponseBytes = -1;

  onForeignDigest(zxid: Zxid): void {
    if (this.foreignDigestMismatches++ === 0) this.firstForeignMismatch.value = zxid;
  }

  onReply(latencyMs: number, frameBytes: number): void {
    this.packetsSent++;
    this.latencyCount++;
    this.totalLatencyMs += latencyMs;
    if (latencyMs > this.maxLatencyMs) this.maxLatencyMs = latencyMs;
    if (latencyMs < this.minLatencyMs || this.latencyCount === 1) this.minLatencyMs = latencyMs;
    this.responseBytes += frameBytes;
    this.lastResponseBytes = frameBytes;
    if (frameBytes > this.maxResponseBytes) this.maxResponseBytes = frameBytes;
    if (frameBytes < this.minResponseBytes || this.minResponseBytes < 0) this.minResponseBytes = frameBytes;
  }

  resetTraffic(): void {
    this.packetsReceived = 0;
    this.packetsSent = 0;
    this.minLatencyMs = 0;
    this.maxLatencyMs = 0;
    this.totalLatencyMs = 0;
    this.latencyCount = 0;
    this.responseBytes = 0;
    this.lastResponseBytes = -1;
    this.minResponseBytes = -1;
    this.maxResponseBytes = -1;
  }
}
