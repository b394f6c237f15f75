/** The comparer lets nothing through but what the table of deliberate differences allows. No server needed. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { OpCode, WatcherType } from '../../src/wire/opcodes.ts';
import * as bodies from '../support/request-bodies.ts';
import { difference, type StepOutcome } from './differential/comparer.ts';
import type { NormalFrame } from './differential/normaliser.ts';
import type { Request, Step } from './differential/step.ts';

const STAT = { czxid: 4, mzxid: 5, times: 'sound', version: 1, pzxid: 4 };

function step(...requests: Request[]): Step {
  return { kind: 'requests', slot: 0, requests };
}

function outcome(...frames: NormalFrame[]): StepOutcome {
  return { connect: undefined, received: [{ slot: 0, frames, closed: false }], zxidBefore: 5, zxidAfter: 6 };
}

function request(op: number, body: Uint8Array = new Uint8Array(0), existsDenied = false): Request {
  return { xid: 1, op, body, label: '', existsDenied };
}

function reply(op: number, err: number, body?: unknown, zxid = 6): NormalFrame {
  return { op, xid: 1, zxid, err, body };
}

const NODE_CHANGED = 3;
const event = (zxid: number, path = '/a'): NormalFrame => ({ event: NODE_CHANGED, state: 3, path, zxid });

suite('comparer', () => {
  const read = step(request(OpCode.getData));
  const oracle = outcome(event(-1), reply(OpCode.getData, ErrorCode.ok, { data: '00', stat: STAT }));

  test('equal outcomes are equal', () => {
    assert.equal(difference(read, oracle, structuredClone(oracle)), undefined);
  });

  const changes: readonly (readonly [what: string, changed: StepOutcome])[] = [
    ['a byte of data', outcome(event(-1), reply(OpCode.getData, ErrorCode.ok, { data: '01', stat: STAT }))],
    [
      'a field of Stat',
      outcome(event(-1), reply(OpCode.getData, ErrorCode.ok, { data: '00', stat: { ...STAT, version: 2 } })),
    ],
    ['the error code', outcome(event(-1), reply(OpCode.getData, ErrorCode.noNode))],
    [
      'the zxid of the reply',
      outcome(event(-1), reply(OpCode.getData, ErrorCode.ok, { data: '00', stat: STAT }, 7)),
    ],
    [
      'the path of an event',
      outcome(event(-1, '/b'), reply(OpCode.getData, ErrorCode.ok, { data: '00', stat: STAT })),
    ],
    ['a missing event', outcome(reply(OpCode.getData, ErrorCode.ok, { data: '00', stat: STAT }))],
    [
      'an event too many',
      outcome(event(-1), event(-1), reply(OpCode.getData, ErrorCode.ok, { data: '00', stat: STAT })),
    ],
    [
      'an event behind the reply',
      outcome(reply(OpCode.getData, ErrorCode.ok, { data: '00', stat: STAT }), event(-1)),
    ],
    ['a closed connection', { ...oracle, received: [{ ...oracle.received[0]!, closed: true }] }],
    ['the answer to the handshake', { ...oracle, connect: { timeoutMs: 1 } }],
  ];
  for (const [what, changed] of changes) {
    test(`${what} is a difference`, () => {
      assert.notEqual(difference(read, oracle, changed), undefined);
    });
  }

  test('an event may carry the zxid of its transaction, and no other', () => {
    const write = step(request(OpCode.setData));
    const done = reply(OpCode.setData, ErrorCode.ok, { stat: STAT });
    assert.equal(difference(write, outcome(event(-1), done), outcome(event(6), done)), undefined);
    assert.notEqual(difference(write, outcome(event(-1), done), outcome(event(5), done)), undefined);
    assert.notEqual(difference(write, outcome(event(-1), done), outcome(event(7), done)), undefined);
  });

  test('exists may be denied only where the caller may not read', () => {
    const found = outcome(reply(OpCode.exists, ErrorCode.ok, { stat: STAT }));
    const denied = outcome(reply(OpCode.exists, ErrorCode.noAuth));
    assert.equal(difference(step(request(OpCode.exists, undefined, true)), found, denied), undefined);
    assert.notEqual(difference(step(request(OpCode.exists, undefined, false)), found, denied), undefined);
  });

  test('new watcher types may be understood, old ones must be', () => {
    const refused = outcome(reply(OpCode.removeWatches, ErrorCode.marshallingError));
    const absent = outcome(reply(OpCode.removeWatches, ErrorCode.noWatcher));
    const remove = (type: number): Step => step(request(OpCode.removeWatches, bodies.pathAndInt('/a', type)));
    assert.equal(difference(remove(WatcherType.persistent), refused, absent), undefined);
    assert.notEqual(difference(remove(WatcherType.any), refused, absent), undefined);
  });

  test('create2 in a multi may answer with a Stat, at the same path', () => {
    const end = { type: -1, err: -1, done: true };
    const multi = (type: number, path: string, stat?: unknown): StepOutcome =>
      outcome(reply(OpCode.multi, ErrorCode.ok, [{ type, err: 0, result: { path, stat } }, end]));
    const write = step(request(OpCode.multi));
    assert.equal(difference(write, multi(OpCode.create, '/a'), multi(OpCode.create2, '/a', STAT)), undefined);
    assert.notEqual(
      difference(write, multi(OpCode.create, '/a'), multi(OpCode.create2, '/b', STAT)),
      undefined,
    );
    assert.notEqual(
      difference(write, multi(OpCode.create2, '/a', STAT), multi(OpCode.create, '/a')),
      undefined,
    );
  });

  test('only the events of a closing session may change places', () => {
    const two = (first: string, second: string): StepOutcome =>
      outcome(event(-1, first), event(-1, second), reply(OpCode.closeSession, ErrorCode.ok));
    const close = step(request(OpCode.closeSession));
    assert.equal(difference(close, two('/a', '/b'), two('/b', '/a')), undefined);
    assert.notEqual(difference(read, two('/a', '/b'), two('/b', '/a')), undefined);
  });
});
