/** What ZooKeeper promises one session, and that nothing more is asked of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OpKind } from '../../../bench/check/history.ts';
import { brokenRules, examplesOf, Rule, Script } from './support/script.ts';

describe('replies of a session', () => {
  it('may carry equal and growing zxids, and none', () => {
    const script = new Script()
      .write(1, 1, 0, 10, { zxid: 1 })
      .read(1, 1, 11, 20, { zxid: 1 })
      .read(1, 1, 21, 30, { zxid: 0 })
      .read(1, 1, 31, 40, { zxid: 7 });
    assert.deepEqual(brokenRules(script.check()), []);
  });

  it('must not carry a zxid below an earlier one, also with an error', () => {
    const script = new Script()
      .plain(1, OpKind.read, 0, 10, { zxid: 7, error: -101 })
      .plain(1, OpKind.read, 11, 20, { zxid: 6, error: -101 });
    const result = script.check();
    assert.deepEqual(brokenRules(result), [Rule.zxids]);
    assert.match(
      examplesOf(result)[0]!,
      /session 1 \(0\.011 \.\. 0\.020 ms, zxid 0x6, NONODE\) came after the zxid 0x7/,
    );
  });

  it('may go back between sessions: a new session may reach a server that lags', () => {
    const script = new Script()
      .write(1, 1, 0, 10, { zxid: 1 })
      .write(1, 2, 11, 20, { zxid: 2 })
      .read(2, 1, 30, 40);
    assert.deepEqual(brokenRules(script.check()), []);
  });

  it('must not show data newer than their zxid', () => {
    const script = new Script().write(1, 1, 0, 10, { zxid: 1 }).write(1, 2, 11, 20, { zxid: 2 });
    script.read(2, 2, 30, 40, { zxid: 1 });
    assert.deepEqual(brokenRules(script.check()), [Rule.zxids]);
  });

  it('must come in the order of the requests', () => {
    const script = new Script().write(1, 1, 0, 20, { zxid: 1 }).plain(1, OpKind.childRead, 5, 10);
    assert.deepEqual(brokenRules(script.check()), [Rule.requestOrder]);
  });
});

describe('a session', () => {
  const written = (): Script => new Script().write(1, 1, 0, 10, { zxid: 1 }).write(1, 2, 11, 20, { zxid: 2 });

  it('must not see an older value after a newer one', () => {
    const script = written().read(2, 2, 30, 40, { zxid: 9 }).read(2, 1, 41, 50, { zxid: 9 });
    assert.deepEqual(brokenRules(script.check()), [Rule.reads]);
  });

  it('must see its own acknowledged write', () => {
    const script = written().read(1, 1, 30, 40, { zxid: 9 });
    assert.deepEqual(brokenRules(script.check()), [Rule.reads]);
  });

  it('may see different keys at any distance', () => {
    const script = written()
      .write(1, 3, 21, 25, { zxid: 3, key: 1, version: 1 })
      .read(2, 3, 30, 40, { key: 1 });
    assert.deepEqual(brokenRules(script.read(2, 1, 41, 50, { zxid: 3 }).check()), []);
  });

  it('must not see its own write before it is sent: a write makes a state that was not there', () => {
    const script = new Script()
      .write(1, 1, 0, 50, { zxid: 1 })
      .plain(1, OpKind.existsWatchSet, -20, -10, { mzxid: 1, version: 1 });
    assert.deepEqual(brokenRules(script.check()), [Rule.reads]);
  });

  it('must not see children of an older state', () => {
    const script = new Script()
      .plain(1, OpKind.childRead, 0, 10, { mzxid: 8, zxid: 9 })
      .plain(1, OpKind.childRead, 11, 20, { mzxid: 7, zxid: 9 });
    assert.deepEqual(brokenRules(script.check()), [Rule.reads]);
    const mixed = new Script()
      .plain(1, OpKind.childRead, 0, 10, { mzxid: 8, zxid: 9 })
      .plain(1, OpKind.read, 11, 20, { mzxid: 7, version: 1, zxid: 9 });
    assert.deepEqual(brokenRules(mixed.check()), [], 'data and children change apart');
  });
});
