/** What a sender is told of the znodes that only it makes and deletes must fit together. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OpKind } from '../../../bench/check/history.ts';
import { brokenRules, examplesOf, type Reply, Rule, Script } from './support/script.ts';

const OK = 0;
const NONODE = -101;
const NODEEXISTS = -110;
const NOTEMPTY = -111;
const CONNECTIONLOSS = -4;

type Told = readonly [kind: 'create' | 'delete', error: number];

/** One request after the other in one session. */
function told(...replies: readonly Told[]): string[] {
  const script = new Script();
  replies.forEach(([kind, error], i) => {
    script.plain(1, OpKind[kind], i * 10, i * 10 + 5, { zxid: i + 1, error });
  });
  return brokenRules(script.check());
}

describe('creates and deletes of a znode', () => {
  it('may follow each other', () => {
    assert.deepEqual(
      told(['create', OK], ['delete', OK], ['create', OK], ['delete', OK], ['delete', NONODE]),
      [],
    );
    assert.deepEqual(told(['create', OK], ['create', NODEEXISTS], ['delete', NOTEMPTY], ['delete', OK]), []);
  });

  it('may begin in any state: it may have been there before', () => {
    assert.deepEqual(told(['delete', OK], ['create', OK]), []);
    assert.deepEqual(told(['create', NODEEXISTS], ['delete', OK]), []);
    assert.deepEqual(told(['delete', NONODE], ['create', OK]), []);
  });

  const impossible: readonly (readonly Told[])[] = [
    [
      ['create', OK],
      ['delete', NONODE],
    ],
    [
      ['create', OK],
      ['create', OK],
    ],
    [
      ['create', OK],
      ['delete', OK],
      ['delete', OK],
    ],
    [
      ['create', OK],
      ['delete', OK],
      ['create', NODEEXISTS],
    ],
    [
      ['create', NODEEXISTS],
      ['delete', NONODE],
    ],
  ];
  for (const replies of impossible) {
    it(`cannot be ${replies.map(([kind, error]) => `${kind} ${error}`).join(', ')}`, () => {
      assert.deepEqual(told(...replies), [Rule.ownZnodes]);
    });
  }

  it('are not judged behind a request whose outcome is open', () => {
    assert.deepEqual(told(['create', OK], ['delete', CONNECTIONLOSS], ['delete', NONODE]), []);
  });

  it('are named with both replies', () => {
    const script = new Script()
      .plain(1, OpKind.create, 0, 10, { zxid: 1 })
      .plain(1, OpKind.delete, 11, 20, { zxid: 2, error: NONODE });
    assert.deepEqual(examplesOf(script.check()), [
      'key 0: delete by session 1 (0.011 .. 0.020 ms, zxid 0x2, NONODE) after create by session 1 (0.000 .. 0.010 ms, zxid 0x1)',
    ]);
  });

  it('go on in the session that follows, when nothing of the first is open or overlaps', () => {
    const handedOver = (createdUs: number | null, key: Reply = {}): string[] =>
      brokenRules(
        new Script()
          .plain(1, OpKind.create, 0, createdUs, { zxid: 1 })
          .plain(2, OpKind.delete, 20, 30, { zxid: 2, error: NONODE, ...key })
          .check(),
      );
    assert.deepEqual(handedOver(10), [Rule.ownZnodes]);
    assert.deepEqual(handedOver(25), []);
    assert.deepEqual(handedOver(null), []);
    assert.deepEqual(handedOver(10, { key: 1 }), [], 'another znode');
  });
});
