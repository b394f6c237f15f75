/** The first difference is told at once, what follows within a minute together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Statistics } from '../../../src/core/progress/statistics.ts';
import { DigestLines } from '../../../src/server/host/digest-lines.ts';

test('digests that other servers sent and that differ are told at a bounded rate, and the rest at a clean stop', () => {
  const statistics = new Statistics();
  const told: unknown[] = [];
  const warn = (_text: string, fields?: object): void => void told.push(fields);
  const lines = new DigestLines(statistics, { debug: () => {}, info: () => {}, warn, error: () => {} });
  lines.onTick(0);
  statistics.onForeignDigest(0x1_0000_0007);
  lines.onTick(10);
  statistics.onForeignDigest(0x1_0000_0008);
  statistics.onForeignDigest(0x1_0000_0009);
  lines.onTick(20);
  lines.onTick(70_000);
  lines.onTick(140_000);
  statistics.onForeignDigest(0x1_0000_000a);
  lines.onTick(140_010);
  lines.end();
  assert.deepEqual(told, [
    { transactions: 1, firstZxid: '0x100000007' },
    { transactions: 2, firstZxid: '0x100000007' },
    { transactions: 1, firstZxid: '0x100000007' },
  ]);
});
