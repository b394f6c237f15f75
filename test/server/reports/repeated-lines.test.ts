/** Some lines of a kind at once, the others counted, and nothing is kept back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LineLevel, Log, LogFields } from '../../../src/server/logging/logging.ts';
import { LINES_PER_WINDOW, RepeatedLines, WINDOW_MS } from '../../../src/server/reports/repeated-lines.ts';

function recorder() {
  const written: string[] = [];
  const write =
    (level: LineLevel) =>
    (text: string, fields: LogFields = {}): void => {
      written.push(`${level} ${text} ${JSON.stringify(fields)}`);
    };
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const time = { nowMs: 1000 };
  return { written, time, lines: new RepeatedLines(log, () => time.nowMs) };
}

test('the first of a kind are written, the others counted; the count comes with the last when the time is over', () => {
  const { written, time, lines } = recorder();
  for (let i = 0; i < LINES_PER_WINDOW + 7; i++) lines.say('a', 'warn', 'refused', { i });
  lines.say('b', 'info', 'expired', {});
  assert.equal(written.length, LINES_PER_WINDOW + 1);
  assert.equal(written[0], 'warn refused {"i":0}');
  time.nowMs += WINDOW_MS - 1;
  lines.flush();
  assert.equal(written.length, LINES_PER_WINDOW + 1);
  time.nowMs += 1;
  lines.flush();
  lines.flush();
  assert.deepEqual(written.slice(LINES_PER_WINDOW + 1), [
    `warn refused {"i":${LINES_PER_WINDOW + 6},"times":7}`,
  ]);
});

test('at a clean stop what was counted is said, although the window is open', () => {
  const { written, lines } = recorder();
  for (let i = 0; i < LINES_PER_WINDOW + 3; i++) lines.say('a', 'warn', 'refused', { i });
  lines.say('b', 'info', 'expired', {});
  lines.end();
  lines.end();
  assert.deepEqual(written.slice(LINES_PER_WINDOW), [
    'info expired {}',
    `warn refused {"i":${LINES_PER_WINDOW + 2},"times":3}`,
  ]);
});

test('a line that begins a new window brings the count of the old one with it', () => {
  const { written, time, lines } = recorder();
  for (let i = 0; i <= LINES_PER_WINDOW; i++) lines.say('a', 'warn', 'refused', { i });
  time.nowMs += WINDOW_MS;
  lines.say('a', 'warn', 'refused', { i: 'next' });
  assert.deepEqual(written.slice(LINES_PER_WINDOW), [
    `warn refused {"i":${LINES_PER_WINDOW},"times":1}`,
    'warn refused {"i":"next"}',
  ]);
});
