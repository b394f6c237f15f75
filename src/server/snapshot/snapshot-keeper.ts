/**
 * The core's side of snapshots: pins the tree for each, hands the job over, watches it, and lets the tree go. Every call
 * comes from the core's thread. Who writes the file is behind the port `begin`: the thread of jobs, or whoever drives a
 * server by hand and writes it in line before `begin` returns. Either tells its end by the link.
 */
import { Failure } from '../../base/failure.ts';
import { type Zxid, ZxidCell } from '../../base/zxid.ts';
import type { SnapshotRequest } from '../../core/ports/ports.ts';
import type { Log } from '../logging/logging.ts';
import type { CoreMeter } from '../monitor/core-meter.ts';
import type { SnapshotLink } from './snapshot-link.ts';
import { SnapshotSupervision } from './snapshot-supervision.ts';

/** Pause before a snapshot that was given up is tried again. */
const RETRY_MS = 10_000;

/** What a snapshot needs of the replica. */
export interface SnapshotSource {
  beginSnapshot(): SnapshotRequest;
  endSnapshot(): void;
  readonly parts: { readonly tree: { readonly pointInTime: { readonly isReaderInside: boolean } } };
}

export interface SnapshotKeeperOptions {
  readonly incarnations: { readonly replica: SnapshotSource };
  readonly link: SnapshotLink;
  readonly meter: CoreMeter;
  readonly log: Log;
  readonly stallMs: number;
  /** Has the snapshot written. */
  readonly begin: (request: SnapshotRequest) => void;
}

export class SnapshotKeeper {
  private readonly options: SnapshotKeeperOptions;
  private readonly supervision: SnapshotSupervision;
  private readonly isInside: () => boolean;
  /** Whose snapshot is under way: it keeps its pin although another replica may have begun meanwhile. */
  private source: SnapshotSource;
  private zxid = 0;
  private isHeld = false;
  /** Of the last one that was started, once it is written; -1 before. */
  private readonly written = new ZxidCell(-1);

  constructor(options: SnapshotKeeperOptions) {
    this.options = options;
    this.supervision = new SnapshotSupervision({ stallMs: options.stallMs, retryMs: RETRY_MS });
    this.source = options.incarnations.replica;
    this.isInside = () => this.source.parts.tree.pointInTime.isReaderInside;
  }

  /** The log has been rolled for a snapshot. */
  onDue(nowMs: number): void {
    if (this.supervision.mayStart && !this.isHeld) {
      this.start(nowMs);
      return;
    }
    // As in Apache: the log has been rolled all the same, the next roll will find this one finished.
    this.options.meter.skippedSnapshots++;
    this.options.log.warn('too busy to snap, skipping');
  }

  get writtenZxid(): Zxid {
    return this.written.value;
  }

  /** Until its thread has reported. */
  get isBusy(): boolean {
    return this.supervision.isRunning;
  }

  /** The tree is about to become another one: what is being written is not wanted, and none begins before `release`. */
  hold(): void {
    this.isHeld = true;
    this.letGo();
  }

  release(): void {
    this.isHeld = false;
  }

  start(nowMs: number): void {
    const { incarnations, link, meter, begin } = this.options;
    link.setRunning();
    this.written.value = -1;
    this.source = incarnations.replica;
    const request = this.source.beginSnapshot();
    this.zxid = request.zxid[0]!;
    this.supervision.onStart(nowMs, link.progress);
    meter.runningSnapshots = 1;
    begin(request);
  }

  /** The replica ends: nobody wants its snapshot any more. Its thread reports as ever. */
  letGo(): void {
    if (this.supervision.isRunning) this.options.link.giveUp();
  }

  get hasEnded(): boolean {
    return this.options.link.hasEnded;
  }

  /** The link says that the thread has reported. */
  onEnded(nowMs: number): void {
    const { link, meter } = this.options;
    if (link.report === 'written') this.written.value = this.zxid;
    if (this.supervision.onReport(link.report, nowMs)) this.source.endSnapshot();
    link.setIdle();
    meter.runningSnapshots = 0;
    meter.snapshotAgeMs = 0;
  }

  /** With every tick. @throws SnapshotLostFailure */
  onTick(nowMs: number): void {
    const { link, meter } = this.options;
    const step = this.supervision.onLook(nowMs, link.progress, this.isInside);
    meter.snapshotAgeMs = this.supervision.ageMs(nowMs);
    switch (step) {
      case 'give-up':
        link.giveUp();
        meter.givenUpSnapshots++;
        this.say(
          'snapshot given up: it made no progress; writes go on, and it is tried again when its thread is back',
        );
        break;
      case 'release':
        this.source.endSnapshot();
        break;
      case 'remind':
        this.say(
          'no snapshots: their thread still waits for the disk; the log grows and is not purged meanwhile',
        );
        break;
      case 'start':
        if (!this.isHeld) this.start(nowMs);
        break;
      case 'lost':
        throw new SnapshotLostFailure(this.options.stallMs);
      case 'none':
        break;
    }
  }

  private say(text: string): void {
    const { log, meter, stallMs } = this.options;
    log.error(text, {
      zxid: `0x${this.zxid.toString(16)}`,
      ageMs: Math.round(meter.snapshotAgeMs),
      setting: `ringkeeper.snapshotStallMs=${stallMs}`,
    });
  }
}

/** Its thread is alive, does nothing, and may not be let out of the tree. */
class SnapshotLostFailure extends Failure {
  override readonly name = 'SnapshotLostFailure';
  readonly code = 'RK_SNAPSHOT_LOST';
  readonly exitStatus = 1;

  constructor(stallMs: number) {
    super(
      `the snapshot thread has neither worked nor left the tree for twice ${stallMs} ms; ` +
        'start again, nothing that was acknowledged is lost',
    );
  }
}
