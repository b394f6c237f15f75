/** How clients fail is told to whoever writes the operator's log: each of them, with who it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplicaHarness } from '../support/replica-harness.ts';
import { auth, create } from '../support/requests.ts';

test('expiry, a failed login with and without a session known, a zxid that is ahead', () => {
  const h = new ReplicaHarness();
  const gone = h.connect({ timeoutMs: 8000 });
  const other = h.connect({ timeoutMs: 40_000 });
  h.turn(() => h.replica.onDisconnect(gone.conn));
  h.pass(12_000);
  h.settle();
  assert.deepEqual(h.reports.lines.splice(0), [`expired ${gone.sessionId} 8000`]);
  other.ok(create('/n'));
  other.send(auth('nosuch', 'x'));
  assert.deepEqual(h.reports.lines.splice(0), [`auth 127.0.0.1:40001 ${other.sessionId} nosuch`]);
  const ahead = h.accept();
  ahead.handshake({ lastZxidSeen: 99 });
  h.settle();
  assert.equal(ahead.wire.closed, true);
  assert.match(h.reports.lines.join(), /^ahead 127\.0\.0\.1:4000\d 99 \d$/);
});
