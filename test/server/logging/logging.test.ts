import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMainLog, type LogLine, ThreadLog } from '../../../src/server/logging/logging.ts';

describe('logging', () => {
  it('writes one JSON object a line, at once', () => {
    const lines: string[] = [];
    const log = createMainLog({
      level: 'info',
      pretty: false,
      output: { write: (text) => lines.push(text) },
    });
    log.debug('not shown');
    log.warn('disk is slow', { ms: 1200 });
    assert.equal(lines.length, 1);
    const { time, ...rest } = JSON.parse(lines[0]!);
    assert.deepEqual(rest, { level: 40, ms: 1200, msg: 'disk is slow' });
    assert.ok(!Number.isNaN(Date.parse(time)));
  });

  it('is readable on a terminal', () => {
    const lines: string[] = [];
    const log = createMainLog({ level: 'info', pretty: true, output: { write: (text) => lines.push(text) } });
    log.error('cannot sync', { file: 'log.1' });
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /ERROR.*cannot sync.*log\.1/s);
    assert.throws(() => JSON.parse(lines[0]!));
  });

  it('carries the lines of workers to the main thread', () => {
    const lines: string[] = [];
    const main = createMainLog({
      level: 'info',
      pretty: false,
      output: { write: (text) => lines.push(text) },
    });
    const posted: LogLine[] = [];
    const worker = new ThreadLog('log', 'info', (line) => posted.push(line));
    worker.debug('dropped where it arises');
    worker.info('rolled', { zxid: '1f' });
    assert.equal(posted.length, 1);
    main.write(structuredClone(posted[0]!));
    const { time, ...rest } = JSON.parse(lines[0]!);
    assert.equal(typeof time, 'string');
    assert.deepEqual(rest, { level: 30, thread: 'log', zxid: '1f', msg: 'rolled' });
  });
});
