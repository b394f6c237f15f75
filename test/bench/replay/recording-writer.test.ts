/** The queue between the network and the disk: bounded by its user's obedience, lossless, and honest about failures. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { RecordingRecord } from '../../../bench/replay/recording-format.ts';
import { createFileSink, RecordingWriter } from '../../../bench/replay/recording-writer.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { GatedSink } from './gated-sink.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringkeeper-replay-'));
after(() => rmSync(dir, { recursive: true }));

const QUIET = { onRoom: () => {}, onFailure: () => {} };

function note(length: number): RecordingRecord {
  return { kind: 'note', connection: 1, timeUs: 1, text: 'x'.repeat(length) };
}

test('a slow sink fills the queue, room comes back at half of the bound, and every byte arrives in order', async () => {
  const sink = new GatedSink();
  let rooms = 0;
  const bound = 300_000;
  const writer = new RecordingWriter(sink, bound, { ...QUIET, onRoom: () => rooms++ });
  while (!writer.full) writer.append(note(1_000));
  assert.ok(writer.queuedBytes > bound && writer.queuedBytes < bound + 2_000);
  const records = writer.records;
  await sink.firstWrite;
  assert.equal(rooms, 0);
  while (rooms === 0) {
    assert.equal(writer.full, true);
    const before = writer.queuedBytes;
    await sink.letOnePass();
    assert.ok(writer.queuedBytes < before);
  }
  assert.equal(writer.full, false);
  assert.ok(writer.queuedBytes <= bound / 2);
  sink.open();
  await writer.close();
  assert.equal(rooms, 1);
  assert.equal(writer.queuedBytes, 0);
  assert.equal(sink.bytes.length, records * 1_024);
  assert.equal(writer.bytesWritten, sink.bytes.length);
  assert.ok(sink.closed);
});

test('after a failure nothing more is kept, everybody may go on, and it is told once', async () => {
  const sink = new GatedSink();
  const failures: string[] = [];
  let rooms = 0;
  const writer = new RecordingWriter(sink, 1_000, {
    onRoom: () => rooms++,
    onFailure: ({ message }) => failures.push(message),
  });
  while (!writer.full) writer.append(note(100));
  await sink.firstWrite;
  const failed = new Error('ENOSPC: no space left on device');
  await sink.failNext(failed);
  assert.equal(writer.failure, failed);
  assert.deepEqual([writer.full, rooms, writer.queuedBytes], [false, 1, 0]);
  writer.append(note(1));
  writer.append(note(1));
  assert.equal(writer.recordsRefused, 2);
  await writer.close();
  assert.deepEqual(failures, [failed.message]);
});

test('a file sink makes a file for its owner only, and never writes over one', async () => {
  const file = join(dir, 'new.rec');
  const sink = await createFileSink(file);
  await sink.write(Buffer.from('one'));
  await sink.write(Buffer.from('two'));
  await sink.close();
  assert.equal(readFileSync(file, 'utf8'), 'onetwo');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await assert.rejects(createFileSink(file), (error: Error) => {
    assert.ok(error instanceof ConfigFailure);
    assert.match(error.message, /^--out: .*new\.rec exists - choose another name, or remove it$/);
    return true;
  });
  writeFileSync(join(dir, 'plain'), '');
  await assert.rejects(
    createFileSink(join(dir, 'plain', 'x.rec')),
    /^ConfigFailure: --out: .* cannot be created/,
  );
  assert.ok(!existsSync(join(dir, 'x.rec')));
});
