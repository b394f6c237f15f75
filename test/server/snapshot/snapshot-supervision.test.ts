/**
 * The state machine around a snapshot against a model of its thread, in every order of what can happen: start, report,
 * rest, a stall inside and outside the tree, the thread's return, the next job.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SnapshotSupervision } from '../../../src/server/snapshot/snapshot-supervision.ts';

const LIMITS = { stallMs: 5000, retryMs: 2000 };
const LOOK_MS = 500;

/** What can happen: to the server, to its snapshot thread, or only time. */
const EVENTS = ['due', 'works', 'enters', 'leaves', 'ends', 'second', 'minute'] as const;
type EventName = (typeof EVENTS)[number];

/** Core and thread, as far as the machine can see them, with the rules that hold whatever happens. */
class World {
  readonly machine = new SnapshotSupervision(LIMITS);
  nowMs = 0;
  progress = 0;
  isPinned = false;
  starts = 0;
  reports = 0;
  reminders = 0;
  private isBusy = false;
  private isInside = false;
  private mustGiveUp = false;

  happens(event: EventName): void {
    switch (event) {
      case 'due':
        if (this.machine.mayStart) this.start();
        break;
      case 'works':
        if (this.isBusy) this.progress++;
        break;
      case 'enters':
        // The rule of the link: a thread that sees the word does not stay.
        if (this.isBusy && !this.mustGiveUp) {
          assert.ok(this.isPinned, 'reads a tree that is pinned');
          this.isInside = true;
        }
        break;
      case 'leaves':
        this.isInside = false;
        break;
      case 'ends':
        if (this.isBusy && !this.isInside) this.report();
        break;
      case 'second':
        this.pass(1000);
        break;
      case 'minute':
        this.pass(60_000);
        break;
    }
    if (this.machine.state !== 'lost') assert.equal(this.machine.isRunning, this.isBusy);
    if (this.isInside) assert.ok(this.isPinned, 'the tree is not let go under the eyes of a reader');
  }

  /** As the core's tick does. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += LOOK_MS) {
      this.nowMs += LOOK_MS;
      this.look();
    }
  }

  look(): void {
    switch (this.machine.onLook(this.nowMs, this.progress, () => this.isInside)) {
      case 'give-up':
        this.mustGiveUp = true;
        break;
      case 'release':
        this.release();
        break;
      case 'start':
        this.start();
        break;
      case 'remind':
        this.reminders++;
        break;
      case 'lost':
        assert.ok(this.isInside, 'only a thread that stays in the tree is lost');
        break;
      case 'none':
        break;
    }
  }

  private start(): void {
    assert.ok(!this.isBusy, 'the thread gets one job at a time');
    assert.ok(!this.isPinned, 'the tree is pinned once');
    this.starts++;
    this.isBusy = true;
    this.isPinned = true;
    this.mustGiveUp = false;
    this.machine.onStart(this.nowMs, this.progress);
  }

  private report(): void {
    const report = this.mustGiveUp ? 'given-up' : 'written';
    this.isBusy = false;
    this.reports++;
    if (this.machine.onReport(report, this.nowMs)) this.release();
    assert.ok(!this.isPinned, 'a snapshot that has ended pins nothing');
  }

  private release(): void {
    assert.ok(this.isPinned, 'the tree is let go once');
    this.isPinned = false;
  }
}

describe('supervision of snapshots', () => {
  it('keeps its rules in every order of events', () => {
    const DEPTH = 6;
    const reached = new Set<string>();
    for (let code = 0; code < EVENTS.length ** DEPTH; code++) {
      const world = new World();
      const script: EventName[] = ['due'];
      for (let rest = code, i = 0; i < DEPTH; i++, rest = Math.floor(rest / EVENTS.length)) {
        script.push(EVENTS[rest % EVENTS.length]!);
      }
      try {
        for (const event of script) {
          world.happens(event);
          reached.add(world.machine.state);
          if (world.machine.state === 'lost') break;
        }
        // Whatever came before: once the thread is out and back, snapshots go on by themselves.
        if (world.machine.state !== 'lost') {
          world.happens('leaves');
          world.happens('ends');
          world.pass(LIMITS.retryMs);
          world.happens('due');
          assert.equal(world.machine.state, 'running');
        }
      } catch (error) {
        throw new Error(`after ${script.join(', ')}`, { cause: error });
      }
    }
    assert.deepEqual([...reached].sort(), ['away', 'idle', 'leaving', 'lost', 'resting', 'running']);
  });

  it('leaves the next job alone, however long it takes, when the one before has been reported', () => {
    // A rest timer that was set by the report of one job used to end the thread in the middle of the next.
    const world = new World();
    for (let job = 1; job <= 3; job++) {
      world.happens('due');
      for (let second = 0; second < 120; second++) {
        world.happens('works');
        world.pass(1000);
      }
      assert.equal(world.machine.state, 'running');
      world.happens('ends');
      assert.equal(world.starts, job);
    }
  });

  it('lets go of the tree as soon as a stalled thread is outside, and starts again when it is back', () => {
    const world = new World();
    world.happens('due');
    world.happens('enters');
    world.pass(LIMITS.stallMs);
    assert.equal(world.machine.state, 'leaving');
    assert.ok(world.isPinned);
    world.happens('leaves');
    world.pass(LOOK_MS);
    assert.equal(world.machine.state, 'away');
    assert.ok(!world.isPinned);
    assert.equal(world.machine.ageMs(world.nowMs), LIMITS.stallMs + LOOK_MS);
    world.pass(3 * LIMITS.stallMs);
    assert.equal(world.reminders, 3);
    world.happens('due');
    assert.equal(world.starts, 1, 'not while the thread is away');
    world.happens('ends');
    assert.equal(world.machine.state, 'resting');
    assert.equal(world.machine.ageMs(world.nowMs), 0);
    world.pass(LIMITS.retryMs);
    assert.equal(world.machine.state, 'running');
    assert.equal(world.starts, 2);
  });

  it('counts a snapshot that was written after all', () => {
    const machine = new SnapshotSupervision(LIMITS);
    machine.onStart(0, 0);
    let nowMs = 0;
    const look = () => machine.onLook((nowMs += 1000), 0, () => false);
    while (look() !== 'give-up');
    assert.equal(look(), 'release');
    assert.equal(machine.onReport('written', nowMs), false, 'released before');
    assert.equal(machine.state, 'idle');
    assert.ok(machine.mayStart);
  });

  it('does not take a pause of the whole process for a stall', () => {
    const world = new World();
    world.happens('due');
    world.pass(1000);
    world.nowMs += 3_600_000;
    world.look();
    assert.equal(world.machine.state, 'running');
    world.happens('works');
    world.pass(LIMITS.stallMs - LOOK_MS);
    assert.equal(world.machine.state, 'running');
  });
});
