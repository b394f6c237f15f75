/** Collections of this thread, and of a Java server by its log. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { GcLog, GcPauseMeter, parseGcLine } from '../../../bench/measure/gc-pauses.ts';

const tempDir = mkdtempSync(join(tmpdir(), 'gc-test-'));
after(() => rmSync(tempDir, { recursive: true }));

test('a pause is read from the lines of each collector; other lines are none', () => {
  const pauses: Readonly<Record<string, number>> = {
    '[2500000000ns] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 24M->5M(384M) 3.456ms': 3.456,
    '[2500000000ns] GC(2) Pause Young (Allocation Failure) 10M->2M(24M) 12.001ms': 12.001,
    '[2500000000ns] GC(9) Pause Full (System.gc()) 5M->4M(20M) 40.5ms': 40.5,
    '[2500000000ns] GC(3) Pause Remark 30M->30M(384M) 0.9ms': 0.9,
  };
  for (const [line, durationMs] of Object.entries(pauses)) {
    assert.deepEqual(parseGcLine(line), { endMs: 2_500, durationMs }, line);
  }
  for (const line of [
    '[2500000000ns] Using G1',
    '[2500000000ns] GC(3) Concurrent Mark Cycle 12.3ms',
    '[2500000000ns] GC(1) Pause Young (Normal) (G1 Evacuation Pause)',
    '',
  ]) {
    assert.equal(parseGcLine(line), null, line);
  }
});

test('a log is followed while it is written, also through half a line', () => {
  const file = join(tempDir, 'gc.log');
  const log = new GcLog(file);
  log.poll();
  assert.deepEqual(log.sum(0, 1e9), { count: 0, totalMs: 0, maxMs: 0 }, 'no log yet');
  writeFileSync(
    file,
    '[1000000000ns] Using Serial\n[1100000000ns] GC(0) Pause Young (x) 1M->1M(2M) 2.5ms\n[12000',
  );
  log.poll();
  assert.deepEqual(log.sum(0, 1e9), { count: 1, totalMs: 2.5, maxMs: 2.5 });
  appendFileSync(file, '00000ns] GC(1) Pause Young (x) 1M->1M(2M) 4.5ms\n');
  log.poll();
  assert.deepEqual(log.sum(0, 1e9), { count: 2, totalMs: 7, maxMs: 4.5 });
  assert.deepEqual(log.sum(1_100, 1_200), { count: 1, totalMs: 2.5, maxMs: 2.5 });
  log.close();
});

test('collections of this thread are counted until they are taken', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const meter = new GcPauseMeter();
  collect();
  collect();
  await turn();
  const sum = meter.take();
  assert.ok(sum.count >= 2 && sum.maxMs > 0 && sum.totalMs >= sum.maxMs);
  assert.deepEqual(meter.take(), { count: 0, totalMs: 0, maxMs: 0 });
  meter.stop();
});
