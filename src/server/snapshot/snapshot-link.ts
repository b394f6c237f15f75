/**
 * How the core learns that a snapshot has ended: a word in shared memory and the core's bell, because the core may
 * sleep in a blocking wait where no message reaches it.
 *
 *     idle ──core: start──▶ running ──snapshot thread──▶ ended ──core: endSnapshot──▶ idle
 */
import { Bell, type BellChannel } from '../../shm/bell.ts';
import { createSnapshotMeter, type SnapshotMeterHandle } from '../monitor/snapshot-meter.ts';

export interface SnapshotLinkHandle {
  readonly state: SharedArrayBuffer;
  readonly coreBell: SharedArrayBuffer;
  readonly meter: SnapshotMeterHandle;
}

const IDLE = 0;
const RUNNING = 1;
const ENDED = 2;

export function createSnapshotLink(coreBell: SharedArrayBuffer): SnapshotLinkHandle {
  return { state: new SharedArrayBuffer(4), coreBell, meter: createSnapshotMeter() };
}

export class SnapshotLink {
  private readonly words: Int32Array;
  private readonly bell: Bell;

  /** `toCore`: how the core is woken. */
  constructor(handle: SnapshotLinkHandle, toCore: BellChannel = {}) {
    this.words = new Int32Array(handle.state);
    this.bell = new Bell(handle.coreBell, undefined, toCore);
  }

  get isIdle(): boolean {
    return Atomics.load(this.words, 0) === IDLE;
  }

  get hasEnded(): boolean {
    return Atomics.load(this.words, 0) === ENDED;
  }

  /** Core: a snapshot thread is about to begin. */
  setRunning(): void {
    Atomics.store(this.words, 0, RUNNING);
  }

  /** Snapshot thread: it reads the tree no more. */
  setEnded(): void {
    Atomics.store(this.words, 0, ENDED);
    this.bell.ring();
  }

  /** Core: the tree has been unpinned. */
  setIdle(): void {
    Atomics.store(this.words, 0, IDLE);
  }
}
