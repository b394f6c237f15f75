/** LearnerDesk: what no ensemble of real servers brings about on demand. Everything else: test/server/ensemble. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DeskHost, LearnerDesk } from '../../../src/server/host/learner-desk.ts';

/** A core whose queue is full until `hasRoom`, and whose log does nothing. */
function core() {
  const state = { hasRoom: false, durable: 0, commandsDone: 0, commandsGiven: 0, isSnapshotRunning: false };
  const calls: string[] = [];
  let treeEnd = 0;
  const replica = {
    progress: { proposed: 0, durable: 0 },
    onProposal: () => state.hasRoom,
    onDecided: () => calls.push('decide'),
    learner: { keptCount: 0, endTerm: () => calls.push('end the term') },
  };
  const host = {
    incarnations: { replica, surroundings: { role: {} } },
    logPort: {
      get durableZxid() {
        return state.durable;
      },
      get commandsDone() {
        return state.commandsDone;
      },
      get commandsGiven() {
        return state.commandsGiven;
      },
      saveEpoch: () => state.hasRoom && ++state.commandsGiven > 0,
      truncate: (zxid: number) => {
        calls.push(`cut the log behind ${zxid}`);
        return ++state.commandsGiven > 0;
      },
    },
    snapshots: {
      get isBusy() {
        return state.isSnapshotRunning;
      },
      hold: () => calls.push('hold'),
      release: () => calls.push('release'),
    },
    enter: () => {},
    beginAnew: () => replica,
    startAnew: (zxid: number) => {
      treeEnd = zxid;
    },
    discardSnapshots: (zxid: number) => calls.push(`remove snapshots behind ${zxid}`),
    reload: () => {
      calls.push('reload');
      return 5;
    },
  };
  return { state, calls, treeEnd: () => treeEnd, desk: new LearnerDesk(host as unknown as DeskHost) };
}

const NOTHING = new Uint8Array(0);
const VIEW = new DataView(NOTHING.buffer);

describe('LearnerDesk', () => {
  it('says that there may be room again, once, after it had none', () => {
    const { state, desk } = core();
    let asked = 0;
    desk.onRoom = () => asked++;
    desk.poll();
    assert.equal(asked, 0);
    assert.equal(desk.stage(NOTHING, VIEW, 0, 0), false);
    desk.poll();
    desk.poll();
    assert.equal(asked, 1);
    state.hasRoom = true;
    assert.equal(desk.stage(NOTHING, VIEW, 0, 0), true);
    desk.poll();
    assert.equal(asked, 1);
  });

  it('gives a command again until the ring has room, and tells its end once', () => {
    const { state, desk } = core();
    let done = 0;
    desk.saveEpoch('currentEpoch', 7, () => done++);
    desk.poll();
    assert.deepEqual([state.commandsGiven, done], [0, 0]);
    state.hasRoom = true;
    desk.poll();
    desk.poll();
    assert.deepEqual([state.commandsGiven, done], [1, 0]);
    state.commandsDone = 1;
    assert.equal(desk.hasWork, true);
    desk.poll();
    desk.poll();
    assert.deepEqual([state.commandsGiven, done], [1, 1]);
  });

  it('cuts when no snapshot is being written any more: it would bring back what is cut', () => {
    const { state, calls, treeEnd, desk } = core();
    state.isSnapshotRunning = true;
    desk.truncate(5, () => calls.push('done'));
    desk.poll();
    assert.deepEqual(calls, ['hold']);
    state.isSnapshotRunning = false;
    desk.poll();
    desk.poll();
    assert.deepEqual(calls, ['hold', 'remove snapshots behind 5', 'cut the log behind 5']);
    state.commandsDone = 1;
    desk.poll();
    assert.deepEqual(calls.slice(3), ['reload', 'release', 'done']);
    assert.equal(treeEnd(), 5);
  });

  it('carries a cut through when the term ends within: tree and log are of one history', () => {
    const { state, calls, desk } = core();
    desk.truncate(5, () => calls.push('done'));
    desk.poll();
    desk.poll();
    desk.settle(true, () => calls.push('settled'));
    desk.poll();
    assert.deepEqual(calls, ['hold', 'remove snapshots behind 5', 'cut the log behind 5']);
    state.commandsDone = 1;
    for (let i = 0; i < 3; i++) desk.poll();
    assert.deepEqual(calls.slice(3), ['reload', 'release', 'end the term', 'decide', 'settled']);
  });
});
