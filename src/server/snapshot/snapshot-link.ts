/**
 * What core and snapshot thread tell each other while a snapshot is written: words in shared memory, and the core's bell,
 * because the core may sleep in a blocking wait where no message reaches it.
 *
 *     state      idle ──core──▶ running ──thread──▶ written | given up ──core──▶ idle
 *     progress   thread: goes up with every few nodes and every write to the file
 *     give up    core (or a stop): 1 = the thread must not look at the tree again
 *
 * The thread looks at `give up` after each entry into an epoch and before it reads a record; the core sets it and then
 * looks whether the thread is inside. Both words are sequentially consistent, so either the thread sees that it must
 * leave, or the core sees that it is still inside and waits (Dekker's rule).
 */
import { Bell, type BellChannel } from '../../shm/bell.ts';
import { createSnapshotMeter, type SnapshotMeterHandle } from '../monitor/snapshot-meter.ts';
import type { SnapshotReport } from './snapshot-supervision.ts';

export interface SnapshotLinkHandle {
  readonly words: SharedArrayBuffer;
  readonly coreBell: SharedArrayBuffer;
  readonly meter: SnapshotMeterHandle;
}

const STATE = 0;
const PROGRESS = 1;
const GIVE_UP = 2;
const WORDS = 3;

const IDLE = 0;
const RUNNING = 1;
const WRITTEN = 2;
const GIVEN_UP = 3;

export function createSnapshotLink(coreBell: SharedArrayBuffer): SnapshotLinkHandle {
  return { words: new SharedArrayBuffer(WORDS * 4), coreBell, meter: createSnapshotMeter() };
}

export class SnapshotLink {
  private readonly words: Int32Array;
  private readonly bell: Bell;

  /** `toCore`: how the core is woken. */
  constructor(handle: SnapshotLinkHandle, toCore: BellChannel = {}) {
    this.words = new Int32Array(handle.words);
    this.bell = new Bell(handle.coreBell, undefined, toCore);
  }

  /** Core: whether the thread has reported. */
  get hasEnded(): boolean {
    return Atomics.load(this.words, STATE) >= WRITTEN;
  }

  /** Core: what the thread has reported. */
  get report(): SnapshotReport {
    return Atomics.load(this.words, STATE) === WRITTEN ? 'written' : 'given-up';
  }

  get progress(): number {
    return Atomics.load(this.words, PROGRESS);
  }

  get mustGiveUp(): boolean {
    return Atomics.load(this.words, GIVE_UP) === 1;
  }

  /** Core: a job is about to be handed over. */
  setRunning(): void {
    Atomics.store(this.words, GIVE_UP, 0);
    Atomics.store(this.words, STATE, RUNNING);
  }

  /** Core, or whoever stops the server. */
  giveUp(): void {
    Atomics.store(this.words, GIVE_UP, 1);
  }

  /** Snapshot thread: something has been done. */
  advance(): void {
    Atomics.add(this.words, PROGRESS, 1);
  }

  /** Snapshot thread: it reads the tree no more. */
  setEnded(report: SnapshotReport): void {
    Atomics.store(this.words, STATE, report === 'written' ? WRITTEN : GIVEN_UP);
    this.bell.ring();
  }

  /** Core: the report has been taken. */
  setIdle(): void {
    Atomics.store(this.words, STATE, IDLE);
  }
}
