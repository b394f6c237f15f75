/** A watch fires once, its event comes first; and what cannot be known is not held against the server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OpKind } from '../../../bench/check/history.ts';
import { EventType } from '../../../src/wire/watch-event.ts';
import { brokenRules, examplesOf, Rule, Script } from './support/script.ts';

const NONODE = -101;
const WATCHER = 1;
const WRITER = 2;

/** A watch on the initial value, and a write that fires it. */
function watched(): Script {
  return new Script().watch(WATCHER, 0, 0, 10, { zxid: 1 }).write(WRITER, 1, 20, 30, { zxid: 2, version: 1 });
}

describe('a watch', () => {
  it('fires once for a write', () => {
    const script = watched().event(WATCHER, 35).read(WATCHER, 1, 40, 50, { zxid: 2 });
    assert.deepEqual(brokenRules(script.check()), []);
  });

  it('may fire before the write is acknowledged, and for a write without a reply', () => {
    assert.deepEqual(brokenRules(watched().event(WATCHER, 25).check()), []);
    const lost = new Script()
      .watch(WATCHER, 0, 0, 10, { zxid: 1 })
      .write(WRITER, 1, 20, null)
      .event(WATCHER, 25);
    assert.deepEqual(brokenRules(lost.check()), []);
  });

  it('is one, however often it is set', () => {
    const script = new Script()
      .watch(WATCHER, 0, 0, 10, { zxid: 1 })
      .watch(WATCHER, 0, 5, 11, { zxid: 1 })
      .write(WRITER, 1, 20, 30, { zxid: 2, version: 1 })
      .event(WATCHER, 35);
    assert.deepEqual(brokenRules(script.check()), []);
    assert.deepEqual(brokenRules(script.event(WATCHER, 36).check()), [Rule.once]);
  });

  it('must not fire twice', () => {
    const result = watched().event(WATCHER, 35).event(WATCHER, 36).check();
    assert.deepEqual(brokenRules(result), [Rule.once]);
    assert.deepEqual(examplesOf(result), [
      'key 0: event nodeDataChanged in session 1 (0.036 ms) came without a watch',
    ]);
  });

  it('must be set before it fires, in this session and for this key', () => {
    assert.deepEqual(brokenRules(watched().event(WATCHER, 35).event(3, 35).check()), [Rule.once]);
    assert.deepEqual(brokenRules(watched().event(WATCHER, 35).event(WATCHER, 35, 3, { key: 4 }).check()), [
      Rule.once,
    ]);
    const early = new Script().write(WRITER, 1, 0, 30, { zxid: 2, version: 1 }).event(WATCHER, 5);
    assert.deepEqual(brokenRules(early.watch(WATCHER, 1, 6, 50).check()), [Rule.once]);
  });

  it('set before the history began may fire once', () => {
    const script = new Script().write(WRITER, 1, 0, 10, { zxid: 1 }).event(WATCHER, 15);
    assert.deepEqual(brokenRules(script.check({ watchesBefore: true })), []);
    assert.deepEqual(brokenRules(script.event(WATCHER, 16).check({ watchesBefore: true })), [Rule.once]);
  });

  it('that was refused leaves none, but exists on a missing znode does', () => {
    const refused = (kind: OpKind): string[] =>
      brokenRules(
        new Script()
          .plain(WATCHER, kind, 0, 10, { zxid: 1, error: NONODE })
          .event(WATCHER, 20, EventType.nodeCreated)
          .check(),
      );
    assert.deepEqual(refused(OpKind.watchSet), [Rule.once]);
    assert.deepEqual(refused(OpKind.existsWatchSet), []);
  });

  it('must not fire without a write it could tell of', () => {
    const script = new Script()
      .write(WRITER, 1, 0, 10, { zxid: 1 })
      .watch(WATCHER, 1, 11, 20)
      .event(WATCHER, 25)
      .write(WRITER, 2, 30, 40, { zxid: 2 });
    const result = script.check();
    assert.deepEqual(brokenRules(result), [Rule.once]);
    assert.match(
      examplesOf(result)[0]!,
      /came without a write after read with watch of value 1 by session 1/,
    );
    assert.deepEqual(brokenRules(script.check({ foreignWrites: true })), []);
    assert.deepEqual(
      brokenRules(script.check({ clockSlackUs: 2.5 })),
      [],
      'the write may have been sent at 25 us',
    );
    script.write(9, 3, 5, 8, { key: 1, zxid: 5 });
    assert.deepEqual(brokenRules(script.check()), [Rule.once], 'a write to another key is none');
  });

  it('must not fire for what it had seen', () => {
    const event = (zxid: number): string[] =>
      brokenRules(
        new Script()
          .write(WRITER, 1, 0, 10, { zxid: 1 })
          .watch(WATCHER, 1, 11, 20)
          .write(WRITER, 2, 21, 30, { zxid: 2 })
          .event(WATCHER, 35, EventType.nodeDataChanged, { zxid })
          .check(),
      );
    assert.deepEqual(event(2), []);
    assert.deepEqual(event(-1), [], 'servers up to 3.8 do not tell');
    assert.deepEqual(event(1), [Rule.once]);
  });
});

describe('a missing event', () => {
  const told = { key: 5, zxid: 2, mzxid: 1, version: 0 };

  it('is a violation when the session was told a zxid of the change or later', () => {
    const script = watched().plain(WATCHER, OpKind.read, 40, 50, told);
    const result = script.check();
    assert.deepEqual(brokenRules(result), [Rule.once]);
    assert.match(
      examplesOf(result)[0]!,
      /^key 0: no event for the watch that .* and the session was told of it by read/,
    );
    assert.deepEqual(brokenRules(script.event(WATCHER, 51).check()), [], 'it may come behind that reply');
  });

  it('is none when the session was told nothing more, or only older zxids', () => {
    assert.deepEqual(brokenRules(watched().check()), []);
    const older = watched().plain(WATCHER, OpKind.read, 40, 50, { ...told, zxid: 1 });
    assert.deepEqual(brokenRules(older.check()), []);
  });

  it('is none when the session ended: a reconnected one is another', () => {
    const script = watched().plain(3, OpKind.read, 40, 50, told);
    assert.deepEqual(brokenRules(script.check()), []);
  });

  it('is none when nobody knows that the write happened', () => {
    const script = new Script().watch(WATCHER, 0, 0, 10, { zxid: 1 }).write(WRITER, 1, 20, null);
    assert.deepEqual(brokenRules(script.plain(WATCHER, OpKind.read, 40, 50, told).check()), []);
    script.read(3, 1, 41, 50, { mzxid: 2, version: 1 });
    assert.deepEqual(brokenRules(script.check()), [Rule.once], 'somebody has seen it');
  });

  it('is found when the state before the run was newer than the one watched', () => {
    const initial = new Map([[0, { tag: 7, version: 3, mzxid: 2 }]]);
    const script = new Script()
      .plain(WATCHER, OpKind.existsWatchSet, 0, 10, { zxid: 1, mzxid: 1, version: 2 })
      .plain(WATCHER, OpKind.read, 40, 50, told);
    assert.deepEqual(brokenRules(script.check({ initial })), [Rule.once]);
  });

  it('is none when the reply came before the watch', () => {
    const script = new Script()
      .plain(WATCHER, OpKind.read, 0, 5, { key: 5, zxid: 2, mzxid: 1, version: 0 })
      .watch(WATCHER, 0, 6, 10, { zxid: 2 })
      .write(WRITER, 1, 2, 30, { zxid: 2, version: 1 });
    assert.deepEqual(brokenRules(script.check()), []);
  });

  it('is none when the change was one of the other table', () => {
    const data = new Script()
      .watch(WATCHER, 0, 0, 10, { zxid: 1 })
      .plain(WRITER, OpKind.childRead, 11, 20, { mzxid: 2 })
      .plain(WATCHER, OpKind.read, 40, 50, told);
    assert.deepEqual(brokenRules(data.check()), []);
    const children = new Script()
      .plain(WATCHER, OpKind.childWatchSet, 0, 10, { mzxid: 1 })
      .write(WRITER, 1, 11, 20, { zxid: 2, version: 1 })
      .plain(WATCHER, OpKind.read, 40, 50, told);
    assert.deepEqual(brokenRules(children.check()), []);
  });

  it('is found for children as well', () => {
    const script = new Script()
      .plain(WATCHER, OpKind.childWatchSet, 0, 10, { mzxid: 1 })
      .plain(WRITER, OpKind.childRead, 20, 30, { mzxid: 2 })
      .plain(WATCHER, OpKind.read, 40, 50, told);
    assert.deepEqual(brokenRules(script.check()), [Rule.once]);
    assert.deepEqual(brokenRules(script.event(WATCHER, 35, EventType.nodeChildrenChanged).check()), []);
  });
});

describe('newer data', () => {
  it('must not come before the event, whoever wrote it', () => {
    const script = watched().read(WATCHER, 1, 31, 40, { zxid: 2 }).event(WATCHER, 41);
    const result = script.check();
    assert.deepEqual(brokenRules(result), [Rule.eventFirst]);
    assert.match(
      examplesOf(result)[0]!,
      /read of value 1 by session 1 .* came before the event of the watch that/,
    );
    const own = new Script()
      .watch(WATCHER, 0, 0, 10, { zxid: 1 })
      .write(WATCHER, 1, 11, 20, { zxid: 2, version: 1 })
      .event(WATCHER, 21);
    assert.deepEqual(brokenRules(own.check()), [Rule.eventFirst]);
  });

  it('must not come before the event with the reply that sets the watch again', () => {
    const script = watched().watch(WATCHER, 1, 31, 40, { zxid: 2 }).event(WATCHER, 41);
    assert.deepEqual(brokenRules(script.check()), [Rule.eventFirst]);
  });

  it('is one violation per watch', () => {
    const script = watched()
      .read(WATCHER, 1, 31, 40, { zxid: 2 })
      .watch(WATCHER, 1, 41, 50, { zxid: 2 })
      .event(WATCHER, 51);
    const broken = script.check().rules.filter(({ violations }) => violations > 0);
    assert.deepEqual(
      broken.map(({ rule, violations }) => [rule, violations]),
      [[Rule.eventFirst, 1]],
    );
  });

  it('of other keys and of the children does not matter', () => {
    const script = watched()
      .write(WRITER, 9, 31, 40, { key: 1, zxid: 3, version: 1 })
      .read(WATCHER, 9, 41, 50, { key: 1, zxid: 1, mzxid: 3, version: 1 })
      .event(WATCHER, 51);
    assert.ok(!brokenRules(script.check()).includes(Rule.eventFirst));
    const children = watched().plain(WATCHER, OpKind.childRead, 31, 40, { mzxid: 9 }).event(WATCHER, 41);
    assert.deepEqual(brokenRules(children.check()), []);
  });

  it('of the children must not come before their event', () => {
    const script = new Script()
      .plain(WATCHER, OpKind.childWatchSet, 0, 10, { mzxid: 1 })
      .plain(WATCHER, OpKind.childRead, 20, 30, { mzxid: 2 })
      .event(WATCHER, 31, EventType.nodeChildrenChanged);
    assert.deepEqual(brokenRules(script.check()), [Rule.eventFirst]);
  });
});

describe('the two tables', () => {
  const both = (): Script =>
    new Script()
      .watch(WATCHER, 0, 0, 10, { zxid: 1 })
      .plain(WATCHER, OpKind.childWatchSet, 11, 20, { mzxid: 1 });

  it('fire apart for changes of data and of children', () => {
    const script = both()
      .event(WATCHER, 31, EventType.nodeChildrenChanged)
      .write(WRITER, 1, 22, 40, { zxid: 2, version: 1 })
      .event(WATCHER, 41);
    assert.deepEqual(brokenRules(script.check()), []);
    assert.deepEqual(brokenRules(script.event(WATCHER, 42, EventType.nodeChildrenChanged).check()), [
      Rule.once,
    ]);
  });

  it('do not fire for each other', () => {
    const children = new Script().plain(WATCHER, OpKind.childWatchSet, 0, 10, { mzxid: 1 });
    children.write(WRITER, 1, 11, 20, { zxid: 2, version: 1 }).event(WATCHER, 25);
    assert.deepEqual(brokenRules(children.check()), [Rule.once], 'a write does not concern the children');
    const data = new Script().watch(WATCHER, 0, 0, 10, { zxid: 1 });
    assert.deepEqual(brokenRules(data.event(WATCHER, 20, EventType.nodeChildrenChanged).check()), [
      Rule.once,
    ]);
  });

  it('fire together, with one event, when the znode is deleted', () => {
    const script = both().event(WATCHER, 31, EventType.nodeDeleted);
    assert.deepEqual(brokenRules(script.check()), []);
    assert.deepEqual(brokenRules(script.event(WATCHER, 32, EventType.nodeDeleted).check()), [Rule.once]);
  });
});
