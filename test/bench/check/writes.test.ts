/** Values, versions and zxids of the writes of a key, and whether an acknowledged one can be lost unnoticed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BAD_TAG, OpKind } from '../../../bench/check/history.ts';
import type { KeyState } from '../../../bench/check/merged-history.ts';
import { AssertionFailure } from '../../../src/base/assert.ts';
import { brokenRules, examplesOf, Rule, Script } from './support/script.ts';

const BADVERSION = -103;
const NONODE = -101;

function states(state: KeyState | null, key = 0): ReadonlyMap<number, KeyState | null> {
  return new Map([[key, state]]);
}

describe('a value that is read', () => {
  it('was written, or was there before', () => {
    const script = new Script().read(1, 0, 0, 10).write(1, 1, 11, 20, { zxid: 1 }).read(1, 1, 21, 30);
    assert.deepEqual(brokenRules(script.check()), []);
  });

  it('must not be one that nobody wrote', () => {
    const script = new Script().read(1, 99, 0, 10, { mzxid: 5, version: 5 });
    const result = script.check();
    assert.deepEqual(brokenRules(result), [Rule.values]);
    assert.match(
      examplesOf(result)[0]!,
      /^key 0: read of value 99 by session 1 .* saw a value that nobody wrote$/,
    );
    assert.deepEqual(brokenRules(script.check({ foreignWrites: true })), []);
  });

  it('must have its tag', () => {
    assert.deepEqual(brokenRules(new Script().read(1, BAD_TAG, 0, 10).check()), [Rule.values]);
  });

  it('must not be that of another key', () => {
    const script = new Script().write(1, 5, 0, 10, { zxid: 1 }).read(1, 5, 11, 20, { key: 1 });
    assert.deepEqual(brokenRules(script.check()), [Rule.values]);
  });

  it('must not be that of a refused write', () => {
    const script = new Script()
      .write(1, 5, 0, 10, { error: BADVERSION })
      .read(2, 5, 11, 20, { mzxid: 1, version: 1 });
    assert.deepEqual(brokenRules(script.check()), [Rule.values]);
  });

  it('may be that of a write without a reply', () => {
    const script = new Script().write(1, 5, 0, null).read(2, 5, 11, 20, { mzxid: 1, version: 1 });
    assert.deepEqual(brokenRules(script.check()), []);
  });

  it('must not be read before it was sent', () => {
    const script = new Script().read(2, 5, 0, 9, { mzxid: 1, version: 1 }).write(1, 5, 10, 20, { zxid: 1 });
    assert.deepEqual(brokenRules(script.check()), [Rule.values]);
    assert.deepEqual(brokenRules(script.check({ clockSlackUs: 1 })), [], 'clocks may differ by 1 us');
  });

  it('before the run is the one that was there, and no longer 0', () => {
    const initial = states({ tag: 42, version: 3, mzxid: 3 });
    assert.deepEqual(
      brokenRules(new Script().read(1, 42, 0, 10, { mzxid: 3, version: 3 }).check({ initial })),
      [],
    );
    assert.deepEqual(brokenRules(new Script().read(1, 0, 0, 10).check({ initial })), [Rule.values]);
  });
});

describe('the writes of a key', () => {
  it('may be acknowledged in any order', () => {
    const script = new Script().write(1, 1, 0, 30, { zxid: 2 }).write(2, 2, 0, 20, { zxid: 1 });
    assert.deepEqual(brokenRules(script.check()), []);
  });

  it('must have different versions', () => {
    const script = new Script()
      .write(1, 1, 0, 30, { zxid: 1, version: 1 })
      .write(2, 2, 0, 30, { zxid: 2, version: 1 });
    const result = script.check();
    assert.deepEqual(brokenRules(result), [Rule.writeOrder]);
    assert.match(
      examplesOf(result)[0]!,
      /value 1 has mzxid 0x1 and version 1, value 2 has mzxid 0x2 and version 1/,
    );
  });

  it('must have different mzxids', () => {
    const script = new Script()
      .write(1, 1, 0, 30, { zxid: 1, version: 1 })
      .write(2, 2, 0, 30, { zxid: 1, version: 2 });
    assert.deepEqual(brokenRules(script.check()), [Rule.writeOrder]);
  });

  it('must grow in version as in mzxid', () => {
    const script = new Script()
      .write(1, 1, 0, 30, { zxid: 1, version: 2 })
      .write(2, 2, 0, 30, { zxid: 2, version: 1 });
    assert.deepEqual(brokenRules(script.check()), [Rule.writeOrder]);
  });

  it('must take effect once: one value, one mzxid and version', () => {
    const script = new Script().write(1, 1, 0, 10, { zxid: 1 }).read(2, 1, 20, 30, { mzxid: 2, version: 2 });
    const result = script.check();
    assert.deepEqual(brokenRules(result), [Rule.writeOrder]);
    assert.match(examplesOf(result)[0]!, /but elsewhere the same value has mzxid 0x1 and version 1/);
  });

  it('without a reply explain gaps of versions', () => {
    const gap = (): Script => new Script().write(1, 1, 0, 10, { zxid: 1 }).write(1, 2, 11, 20, { zxid: 4 });
    assert.deepEqual(brokenRules(gap().write(2, 3, 0, null).write(3, 4, 0, null).check()), []);
    const result = gap().write(2, 3, 0, null).check();
    assert.deepEqual(brokenRules(result), [Rule.writeOrder]);
    assert.match(
      examplesOf(result)[0]!,
      /versions 1 \.\. 4 hold 2 values that no reply tells of, but only 1 /,
    );
    assert.deepEqual(brokenRules(gap().check({ foreignWrites: true })), []);
    const refused = gap().write(2, 3, 0, null).write(3, 4, 0, 10, { error: BADVERSION });
    assert.deepEqual(brokenRules(refused.check()), [Rule.writeOrder], 'a refused write makes no version');
  });

  it('start behind the version before the run', () => {
    const script = new Script().write(1, 1, 0, 10, { zxid: 9, version: 5 });
    assert.deepEqual(brokenRules(script.check({ initial: states({ tag: 7, version: 4, mzxid: 2 }) })), []);
    assert.deepEqual(brokenRules(script.check({ initial: states({ tag: 7, version: 3, mzxid: 2 }) })), [
      Rule.writeOrder,
    ]);
    assert.deepEqual(brokenRules(script.check({ initial: states({ tag: 7, version: 5, mzxid: 2 }) })), [
      Rule.writeOrder,
    ]);
  });

  it('carry tags that are used once: anything else is a fault of the generator', () => {
    const script = new Script().write(1, 1, 0, 10, { zxid: 1 }).write(1, 1, 11, 20, { zxid: 2 });
    assert.throws(() => script.check(), AssertionFailure);
  });
});

describe('the state after the run', () => {
  const written = (): Script => new Script().write(1, 1, 0, 10, { zxid: 1 }).write(2, 2, 11, 20, { zxid: 2 });

  it('is that of the last acknowledged write', () => {
    assert.deepEqual(brokenRules(written().check({}, states({ tag: 2, version: 2, mzxid: 2 }))), []);
  });

  it('may be that of a later write without a reply', () => {
    const script = written().write(3, 3, 15, null);
    assert.deepEqual(brokenRules(script.check({}, states({ tag: 3, version: 3, mzxid: 3 }))), []);
  });

  it('must not be older than an acknowledged write', () => {
    const result = written().check({}, states({ tag: 1, version: 1, mzxid: 1 }));
    assert.deepEqual(brokenRules(result), [Rule.lost]);
    assert.match(
      examplesOf(result)[0]!,
      /has value 1, mzxid 0x1, version 1; lost is write of value 2 by session 2/,
    );
  });

  it('must not have another value where an acknowledged write stood', () => {
    const broken = brokenRules(
      written()
        .write(3, 3, 15, null)
        .check({}, states({ tag: 3, version: 2, mzxid: 2 })),
    );
    assert.ok(broken.includes(Rule.lost), broken.join());
  });

  it('must not be a value that nobody wrote, nor hold more versions than writes', () => {
    assert.deepEqual(brokenRules(written().check({}, states({ tag: 9, version: 3, mzxid: 3 }))), [
      Rule.values,
    ]);
    assert.deepEqual(
      brokenRules(
        written()
          .write(3, 3, 15, null)
          .check({}, states({ tag: 3, version: 4, mzxid: 4 })),
      ),
      [Rule.writeOrder],
    );
  });

  it('must have the znode', () => {
    const result = written().check({}, states(null));
    assert.deepEqual(brokenRules(result), [Rule.lost]);
    assert.match(examplesOf(result)[0]!, /key 0: the znode is gone after the run/);
  });

  it('says nothing of keys that were not read', () => {
    assert.deepEqual(brokenRules(written().check({}, states(null, 5))), []);
  });
});

describe('a znode that was there', () => {
  it('must not be missing after an acknowledged write', () => {
    const script = new Script()
      .write(1, 1, 0, 10, { zxid: 1 })
      .write(2, 2, 11, 20, { zxid: 2, mzxid: 0, error: NONODE });
    assert.deepEqual(brokenRules(script.check()), [Rule.lost]);
  });

  it('may be missing until a write is acknowledged', () => {
    const missing = { zxid: 1, error: NONODE };
    const script = new Script().plain(2, OpKind.freshRead, 0, 10, missing).write(1, 1, 11, 20, { zxid: 1 });
    assert.deepEqual(brokenRules(script.plain(3, OpKind.freshRead, 20, 30, missing).check()), []);
    assert.deepEqual(brokenRules(script.plain(3, OpKind.freshRead, 31, 40, missing).check()), [Rule.lost]);
  });

  it('must not be missing when it was there before the run', () => {
    const script = new Script().plain(1, OpKind.freshRead, 0, 10, { zxid: 5, error: NONODE });
    assert.deepEqual(brokenRules(script.check()), [], 'nobody knows that it should exist');
    assert.deepEqual(brokenRules(script.check({ initial: states({ tag: 0, version: 0, mzxid: 1 }) })), [
      Rule.lost,
    ]);
  });
});
