/** The file of a recording: what is written is read back, and whatever is cut, damaged or foreign says so. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { decodeRecord, encodeRecord, recordBytes } from '../../../bench/replay/record-codec.ts';
import {
  encodeHeader,
  RECORDING_VERSION,
  type RecordingRecord,
} from '../../../bench/replay/recording-format.ts';
import { type RecordingEnding, RecordingReader } from '../../../bench/replay/recording-reader.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { readRecords } from './recordings.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringkeeper-replay-'));
after(() => rmSync(dir, { recursive: true }));

const HEADER = encodeHeader({
  version: RECORDING_VERSION,
  credentialsKept: false,
  startedAtMs: 1_700_000_000_000,
  upstreams: ['127.0.0.1:2181', '[::1]:2182'],
});

function encoded(record: RecordingRecord): Buffer {
  const bytes = Buffer.alloc(recordBytes(record));
  encodeRecord(record, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
  return bytes;
}

function frameOf(payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(12 + payload.length);
  frame.writeInt32BE(8 + payload.length, 0);
  frame.set(payload, 12);
  return frame;
}

const connection = fc.integer({ min: 0, max: 0xffffffff });
const int32 = fc.integer();
const name = fc.string({ unit: 'grapheme', maxLength: 20 });

/** Without times, which have to ascend. */
const untimed: fc.Arbitrary<RecordingRecord> = fc.oneof(
  fc.record({
    kind: fc.constant('opened' as const),
    connection,
    timeUs: fc.constant(0),
    upstream: fc.option(fc.nat(0xfffe)),
  }),
  fc.record({
    kind: fc.constant('closed' as const),
    connection,
    timeUs: fc.constant(0),
    by: fc.constantFrom('client' as const, 'server' as const, 'proxy' as const),
  }),
  fc.record({
    kind: fc.constant('word' as const),
    connection,
    timeUs: fc.constant(0),
    word: fc.constantFrom('ruok', 'mntr', '\xff\xf4\xff\xfd'),
  }),
  fc.record({
    kind: fc.constant('request' as const),
    connection,
    timeUs: fc.constant(0),
    frame: fc.uint8Array({ maxLength: 50 }).map(frameOf),
  }),
  fc.record({
    kind: fc.constant('connected' as const),
    connection,
    timeUs: fc.constant(0),
    sessionId: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    timeoutMs: int32,
  }),
  fc.record({
    kind: fc.constant('reply' as const),
    connection,
    timeUs: fc.constant(0),
    xid: int32,
    zxid: fc.maxSafeInteger(),
    err: int32,
    frameBytes: fc.nat(),
    names: fc.array(name, { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('note' as const), connection, timeUs: fc.constant(0), text: name }),
);

const records = fc.array(fc.tuple(untimed, fc.nat(10_000_000)), { maxLength: 12 }).map((list) => {
  let timeUs = 0;
  return list.map(([record, gap]): RecordingRecord => ({ ...record, timeUs: (timeUs += gap) }));
});

function endRecord(list: readonly RecordingRecord[]): RecordingRecord {
  return { kind: 'end', connection: 0, timeUs: list.at(-1)?.timeUs ?? 0, records: list.length };
}

/** Buffers and plain arrays with the same bytes are equal here. */
function comparable(list: readonly RecordingRecord[]): unknown[] {
  return list.map((record) =>
    record.kind === 'request' ? { ...record, frame: Buffer.from(record.frame).toString('hex') } : record,
  );
}

async function read(
  bytes: Uint8Array,
): Promise<{ readonly list: readonly RecordingRecord[]; readonly ending: RecordingEnding }> {
  const file = join(dir, 'read.rec');
  writeFileSync(file, bytes);
  const reader = await RecordingReader.open(file);
  const list: RecordingRecord[] = [];
  for await (const record of readRecords(reader)) list.push(record);
  await reader.close();
  return { list, ending: reader.ending! };
}

async function openError(bytes: Uint8Array): Promise<string> {
  const file = join(dir, 'bad.rec');
  writeFileSync(file, bytes);
  try {
    await RecordingReader.open(file);
  } catch (error) {
    assert.ok(error instanceof ConfigFailure, String(error));
    assert.ok(error.message.startsWith(`${file}: `), error.message);
    return error.message.slice(file.length + 2);
  }
  return assert.fail('the file was taken for a recording');
}

test('a whole file gives back the records that were written', async () => {
  await fc.assert(
    fc.asyncProperty(records, async (list) => {
      const bytes = Buffer.concat([HEADER, ...list.map(encoded), encoded(endRecord(list))]);
      const { list: back, ending } = await read(bytes);
      assert.deepEqual(comparable(back), comparable(list));
      assert.equal(ending.kind, 'whole');
      assert.equal(ending.records, list.length);
    }),
    { numRuns: 60 },
  );
});

test('a file cut anywhere is good up to its last whole record, and says that it is cut', async () => {
  const list: RecordingRecord[] = [
    { kind: 'opened', connection: 1, timeUs: 10, upstream: 0 },
    { kind: 'request', connection: 1, timeUs: 20, frame: frameOf(Buffer.from('some request')) },
    {
      kind: 'reply',
      connection: 1,
      timeUs: 30,
      xid: 1,
      zxid: 2,
      err: 0,
      frameBytes: 20,
      names: ['/a-1', '/ü'],
    },
    { kind: 'closed', connection: 1, timeUs: 40, by: 'client' },
  ];
  const parts = [...list, endRecord(list)].map(encoded);
  const bytes = Buffer.concat([HEADER, ...parts]);
  for (let length = HEADER.length; length < bytes.length; length++) {
    const { list: back, ending } = await read(bytes.subarray(0, length));
    let whole = 0;
    for (let end = HEADER.length; whole < list.length && end + parts[whole]!.length <= length; whole++) {
      end += parts[whole]!.length;
    }
    assert.deepEqual(comparable(back), comparable(list.slice(0, whole)), `cut at ${length}`);
    assert.equal(ending.kind, 'cut');
    assert.equal(ending.records, whole);
    assert.match(ending.text, /the recorder was killed or its disk was full/);
  }
});

test('a flipped bit ends the recording where it is, and what came before stays good', async () => {
  const list: RecordingRecord[] = Array.from({ length: 5 }, (_, i) => ({
    kind: 'request',
    connection: 1,
    timeUs: i,
    frame: frameOf(Buffer.alloc(20, i)),
  }));
  const parts = list.map(encoded);
  const bytes = Buffer.concat([HEADER, ...parts, encoded(endRecord(list))]);
  for (let bit = 0; bit < parts[2]!.length * 8; bit++) {
    const damaged = Buffer.from(bytes);
    const at = HEADER.length + 2 * parts[0]!.length + (bit >> 3);
    damaged[at] = damaged[at]! ^ (1 << (bit & 7));
    const { list: back, ending } = await read(damaged);
    assert.deepEqual(comparable(back), comparable(list.slice(0, 2)));
    assert.notEqual(ending.kind, 'whole', `bit ${bit}`);
    assert.equal(ending.atByte, HEADER.length + 2 * parts[0]!.length);
  }
});

test('a wrong number of records and a time that goes back are damage', async () => {
  const record: RecordingRecord = { kind: 'note', connection: 1, timeUs: 5, text: 'x' };
  const short = await read(
    Buffer.concat([HEADER, encoded(record), encoded({ ...endRecord([]), timeUs: 5 })]),
  );
  assert.equal(short.ending.kind, 'damaged');
  const back = await read(Buffer.concat([HEADER, encoded(record), encoded({ ...record, timeUs: 4 })]));
  assert.deepEqual([back.list.length, back.ending.kind], [1, 'damaged']);
});

test('records larger than a piece of the file are read whole', async () => {
  const list: RecordingRecord[] = [1, 2, 3].map((i) => ({
    kind: 'request',
    connection: i,
    timeUs: i,
    frame: frameOf(Buffer.alloc(700_000, i)),
  }));
  const { list: back, ending } = await read(
    Buffer.concat([HEADER, ...list.map(encoded), encoded(endRecord(list))]),
  );
  assert.deepEqual(comparable(back), comparable(list));
  assert.equal(ending.kind, 'whole');
});

test('the header says which servers, when, and whether credentials were kept', async () => {
  const file = join(dir, 'header.rec');
  writeFileSync(file, HEADER);
  const reader = await RecordingReader.open(file);
  await reader.close();
  assert.deepEqual(reader.header, {
    version: RECORDING_VERSION,
    credentialsKept: false,
    startedAtMs: 1_700_000_000_000,
    upstreams: ['127.0.0.1:2181', '[::1]:2182'],
  });
});

test('what is no recording, a newer one, or cut in its header is refused in one sentence', async () => {
  assert.match(
    await openError(Buffer.from('{"schema":"something else"}')),
    /^not a recording - make one with/,
  );
  assert.match(await openError(Buffer.alloc(0)), /header of the recording is cut or damaged/);
  for (const length of [3, 8, 20, HEADER.length - 1]) {
    assert.match(await openError(HEADER.subarray(0, length)), /header of the recording is cut or damaged/);
  }
  const newer = Buffer.from(HEADER);
  newer.writeUInt16BE(RECORDING_VERSION + 1, 8);
  assert.match(await openError(newer), /^recording format 2 - this version reads format 1; /);
  const flipped = Buffer.from(HEADER);
  flipped[HEADER.length - 6]! ^= 1;
  assert.match(await openError(flipped), /header of the recording is cut or damaged/);
  await assert.rejects(RecordingReader.open(join(dir, 'nowhere')), ConfigFailure);
});

test('a record of an unknown kind or of the wrong size is damage, not a guess', () => {
  const good = encoded({ kind: 'word', connection: 1, timeUs: 1, word: 'ruok' });
  const view = new DataView(good.buffer, good.byteOffset, good.length);
  assert.equal(decodeRecord(good, view, 0).state, 'record');
  assert.equal(decodeRecord(good.subarray(0, 7), view, 0).state, 'partial');
  assert.equal(decodeRecord(good.subarray(0, good.length - 1), view, 0).state, 'partial');
  const huge = Buffer.from(good);
  huge.writeUInt32BE(0xffffffff, 0);
  assert.equal(decodeRecord(huge, new DataView(huge.buffer, huge.byteOffset), 0).state, 'damaged');
});
