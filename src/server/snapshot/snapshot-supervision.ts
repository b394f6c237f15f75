/**
 * The state machine around the one snapshot at a time. Whoever starts a job in the background supervises it: a snapshot
 * that makes no progress is given up, what it pins in the tree is released, and it is tried again. Pure: time and what
 * the snapshot thread shows come from outside. Runs on the core's thread, driven by `SnapshotKeeper`.
 *
 *                                    written
 *         ┌──────────────────────────────────────────────────────────────┐
 *         ▼                                                              │
 *      ┌──────┐ start  ┌─────────┐ no progress  ┌─────────┐ is outside ┌─┴────┐
 *      │ idle ├───────▶│ running ├─────────────▶│ leaving ├───────────▶│ away │
 *      └──────┘        └─────────┘   give up    └────┬────┘  release   └─┬────┘
 *         ▲             │       ▲                    │                   │ has given up
 *         └─────────────┘       │  again             │ stays inside      ▼
 *          written: release     │                    ▼              ┌─────────┐
 *                               │                   lost            │ resting │
 *                               └───────────────────────────────────┴─────────┘
 *
 *      leaving   told to give up, but perhaps between two looks at the word that says so: nothing is released yet
 *      away      in a call of the operating system that does not return: it will not touch the tree any more, so the
 *                tree is let go at once, and only the next snapshot has to wait until the thread is back
 *      resting   the thread is back; a while later the next snapshot begins
 *
 * A report may come in every state but idle and resting: a snapshot whose last sync took too long is written all the same.
 */
import { assert } from '../../base/assert.ts';

export type SnapshotState = 'idle' | 'running' | 'leaving' | 'away' | 'resting' | 'lost';

export type SnapshotReport = 'written' | 'given-up';

/** What the caller has to do now. `lost`: the thread neither works nor leaves the tree; the server cannot go on. */
export type SnapshotStep = 'none' | 'give-up' | 'release' | 'remind' | 'start' | 'lost';

export interface SnapshotLimits {
  /** Without progress for this long it is given up. */
  readonly stallMs: number;
  /** Between the end of one that was given up and the next try. */
  readonly retryMs: number;
}

/** The machine may have stood still between two looks (a stopped process, a paused VM): that is nobody's stall. */
const STEP_MS_MAX = 1000;

export class SnapshotSupervision {
  state: SnapshotState = 'idle';
  private readonly limits: SnapshotLimits;
  private startedMs = 0;
  private lookedMs = 0;
  private progress = 0;
  /** Time seen to pass since the last progress, or since the state began. */
  private quietMs = 0;
  private holdsPin = false;

  constructor(limits: SnapshotLimits) {
    this.limits = limits;
  }

  /** Whether the thread is free and no try is due by itself. */
  get mayStart(): boolean {
    return this.state === 'idle';
  }

  /** Until its thread has reported: whether a snapshot is under way. */
  get isRunning(): boolean {
    return this.state === 'running' || this.state === 'leaving' || this.state === 'away';
  }

  /** How long the one that runs has been running; 0 = none does. */
  ageMs(nowMs: number): number {
    return this.isRunning ? nowMs - this.startedMs : 0;
  }

  /** The tree has been pinned and the job handed over. */
  onStart(nowMs: number, progress: number): void {
    assert(this.state === 'idle' || this.state === 'resting', 'one snapshot at a time');
    this.startedMs = nowMs;
    this.holdsPin = true;
    this.progress = progress;
    this.enter('running', nowMs);
  }

  /** The thread reads the tree no more and is free. True: the pin is to be released. */
  onReport(report: SnapshotReport, nowMs: number): boolean {
    assert(this.isRunning, 'a report needs a snapshot');
    const { holdsPin } = this;
    this.holdsPin = false;
    this.enter(report === 'written' ? 'idle' : 'resting', nowMs);
    return holdsPin;
  }

  /** Called often. `isInside`: the thread may be reading records; asked only of one that was told to give up. */
  onLook(nowMs: number, progress: number, isInside: () => boolean): SnapshotStep {
    if (this.state === 'idle' || this.state === 'lost') return 'none';
    this.quietMs += Math.min(Math.max(0, nowMs - this.lookedMs), STEP_MS_MAX);
    this.lookedMs = nowMs;
    const isLong = this.quietMs >= this.limits.stallMs;
    switch (this.state) {
      case 'running':
        if (progress !== this.progress) {
          this.progress = progress;
          this.quietMs = 0;
          return 'none';
        }
        return isLong ? this.step('leaving', 'give-up', nowMs) : 'none';
      case 'leaving':
        if (!isInside()) {
          this.holdsPin = false;
          return this.step('away', 'release', nowMs);
        }
        return isLong ? this.step('lost', 'lost', nowMs) : 'none';
      case 'away':
        return isLong ? this.step('away', 'remind', nowMs) : 'none';
      case 'resting':
        // The caller pins the tree and calls `onStart`.
        return this.quietMs >= this.limits.retryMs ? 'start' : 'none';
    }
  }

  private step(state: SnapshotState, step: SnapshotStep, nowMs: number): SnapshotStep {
    this.enter(state, nowMs);
    return step;
  }

  private enter(state: SnapshotState, nowMs: number): void {
    this.state = state;
    this.quietMs = 0;
    this.lookedMs = nowMs;
  }
}
