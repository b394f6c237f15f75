/** A log agent on any disk, with the core's port in front of it; the test calls `doWork` and owns the clock. */
import { Prng } from '../../../../src/base/prng.ts';
import { LogAgent, type LogBatching } from '../../../../src/server/log/log-agent.ts';
import { createLogLink, type LogLinkHandle } from '../../../../src/server/log/log-link.ts';
import { RingLogPort } from '../../../../src/server/log/log-port.ts';
import type { PaceReport } from '../../../../src/server/monitor/batch-pace.ts';
import type { Distribution } from '../../../../src/server/monitor/distribution.ts';
import { LogMeter } from '../../../../src/server/monitor/log-meter.ts';
import { DistributionReader } from '../../../../src/server/monitor/shared-distribution.ts';
import { TotalsReader } from '../../../../src/server/monitor/totals.ts';
import { createNodeBlocking } from '../../../../src/server/platform/node-blocking.ts';
import { createBell } from '../../../../src/shm/bell.ts';
import type { Disk } from '../../../../src/storage/disk.ts';
import { saveEpoch } from '../../../../src/storage/epoch-files.ts';
import { SnapshotTrigger } from '../../../../src/storage/snapshot-trigger.ts';
import { TxnlogAppender } from '../../../../src/storage/txnlog-appender.ts';
import { readTxnlog } from '../../../../src/storage/txnlog-reader.ts';

export const DIRECTORY = '/data/version-2';
const EAGER: LogBatching = { recordsMax: 1000, flushDelayMs: 0, pollTimeMs: 0 };

export interface LogHarnessOptions {
  readonly batching?: Partial<LogBatching>;
  readonly snapCount?: number;
  readonly ringBytes?: number;
}

export class LogHarness {
  readonly link: LogLinkHandle;
  readonly port: RingLogPort;
  readonly agent: LogAgent;
  readonly paces: PaceReport[] = [];

  constructor(disk: Disk, options: LogHarnessOptions = {}) {
    this.link = createLogLink({
      proposalRingBytes: options.ringBytes ?? 64 * 1024,
      coreBell: createBell(),
      lastZxid: 0,
    });
    this.port = new RingLogPort(this.link);
    const meter = new LogMeter(this.link.meter, createNodeBlocking().threadUsage());
    const trigger = new SnapshotTrigger(
      { snapCount: options.snapCount ?? 1_000_000, snapBytesMax: 0 },
      new Prng(1),
    );
    const appender = new TxnlogAppender(disk, DIRECTORY, 0, trigger, {
      preallocBytes: 0,
      fileBytesMax: 0,
      direct: true,
      forceSync: true,
      slowSyncMs: 1000,
      nowMs: () => 0,
      times: meter,
      onSlowSync: () => undefined,
    });
    this.agent = new LogAgent({
      link: this.link,
      appender,
      batching: { ...EAGER, ...options.batching },
      meter,
      clockMs: () => 0,
      saveEpoch: (kind, epoch) => saveEpoch(disk, DIRECTORY, kind, epoch),
      toCore: {},
      onPace: (report) => this.paces.push(report),
    });
  }

  /** Proposes a transaction as the core does; false = the ring is full. */
  propose(zxid: number, bytes = 100): boolean {
    const offset = this.port.claim(bytes);
    if (offset === -1) return false;
    writeTxn(this.port.bytes, this.port.view, offset, zxid, bytes);
    this.port.commit(zxid, bytes);
    return true;
  }

  /** Records per batch, as others see it. */
  batches(): Distribution {
    return new DistributionReader(this.link.meter.batches).read();
  }

  /** One of LogTotal, likewise. */
  total(index: number): number {
    return new TotalsReader(this.link.meter.totals).now(index);
  }

  /** Each fdatasync, likewise. */
  syncs(): Distribution {
    return new DistributionReader(this.link.meter.syncs).read();
  }
}

/** A txn whose header carries the zxid, as readers expect, and whose body can be told from others. */
export function writeTxn(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  zxid: number,
  length: number,
): void {
  bytes.fill(zxid & 0xff, offset, offset + length);
  view.setInt32(offset + 12, Math.floor(zxid / 2 ** 32));
  view.setInt32(offset + 16, zxid | 0);
}

export interface LoggedTxn {
  readonly zxid: number;
  readonly length: number;
}

export function readLog(disk: Disk, directory: string): LoggedTxn[] {
  const txns: LoggedTxn[] = [];
  const sink = {
    onTxn: (zxid: number, _bytes: Uint8Array, _view: DataView, start: number, end: number) => {
      txns.push({ zxid, length: end - start });
      return true;
    },
  };
  readTxnlog(disk, directory, 0, sink, { onWarning: () => undefined, acceptMissingRecords: false });
  return txns;
}
