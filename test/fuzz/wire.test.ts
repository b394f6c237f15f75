/**
 * No byte string crashes, hangs or misleads a decoder of the wire layer: flyweights say yes or no and stay inside
 * their slice, value codecs answer or throw MalformedRecord, and the two agree on what is well-formed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConnectRequestView, readConnectRequest, readConnectResponse } from '../../src/wire/connect.ts';
import { FrameSplitter, FrameStatus } from '../../src/wire/framing.ts';
import { JuteReader, MalformedRecord } from '../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { readReplyHeader } from '../../src/wire/reply-header.ts';
import { readRequest, writeRequest } from '../../src/wire/request-values.ts';
import { type Response, readResponse } from '../../src/wire/responses.ts';
import { SubTxnCursor, TxnReader } from '../../src/wire/txn-records.ts';
import { readWatchEvent } from '../../src/wire/watch-event.ts';
import { readTxn, writeTxn } from '../support/wire/txn-values.ts';
import { request, txn } from '../wire/arbitraries.ts';
import { embedded, viewOf } from '../wire/bytes.ts';
import { seenByFlyweight } from '../wire/flyweights.ts';

const RUNS = { numRuns: 2000 };

const FLYWEIGHT_OPS = Object.values(OpCode).filter(
  (op) =>
    ![
      OpCode.notification,
      OpCode.ping,
      OpCode.whoAmI,
      OpCode.error,
      OpCode.createSession,
      OpCode.closeSession,
    ].some((other) => other === op),
);

/** Words that look like lengths, counts, flags and types get deeper than noise. */
const wordy = fc
  .array(fc.oneof(fc.integer({ min: -12, max: 24 }), fc.integer(), fc.constantFrom(-1, 0, 1, 0x2f616263)), {
    maxLength: 24,
  })
  .map((words) => {
    const bytes = new Uint8Array(words.length * 4);
    for (let i = 0; i < words.length; i++) viewOf(bytes).setInt32(i * 4, words[i]!);
    return bytes;
  });

/** Something valid with a few bytes changed, or its end missing. */
function damaged(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const wounds = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
  return fc.tuple(valid, wounds, fc.nat(), fc.boolean()).map(([bytes, places, cut, cutIt]) => {
    const copy = bytes.slice();
    for (const [at, value] of places) if (copy.length > 0) copy[at % copy.length] = value;
    return cutIt ? copy.subarray(0, cut % (copy.length + 1)) : copy;
  });
}

const noise = fc.oneof(fc.uint8Array({ maxLength: 80 }), wordy);

/** The value, or null when the bytes are malformed; anything else thrown is a bug. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof MalformedRecord, String(error));
    return null;
  }
}

test('requests: flyweights and values agree on any bytes', () => {
  const encoded = request.map((value) => {
    const writer = new JuteWriter();
    writeRequest(writer, value);
    return { op: value.op as number, bytes: writer.toBytes() as Uint8Array };
  });
  const input = fc.oneof(
    fc.record({ op: fc.constantFrom<number>(...FLYWEIGHT_OPS), bytes: noise }),
    encoded.chain(({ op, bytes }) => damaged(fc.constant(bytes)).map((hurt) => ({ op, bytes: hurt }))),
  );
  fc.assert(
    fc.property(input, ({ op, bytes: record }) => {
      const { bytes, view, start, end } = embedded(record);
      const reader = new JuteReader(bytes, view, start, end);
      const value = attempt(() => readRequest(reader, op));
      if (!FLYWEIGHT_OPS.some((known) => known === op)) return;
      const seen = seenByFlyweight(op, bytes, view, start, end);
      if (seen !== null) assert.ok(seen.recordEnd >= start && seen.recordEnd <= end);
      // A multi is judged by more than its structure, so the flyweight may refuse what the value codec takes, and
      // it reads flags 4 as another operation.
      const isMulti = op === OpCode.multi || op === OpCode.multiRead;
      if (isMulti ? value === null || seen === null : value === null) return;
      assert.equal(seen?.recordEnd, reader.position);
      if (!isMulti) assert.deepEqual(seen?.request, value);
    }),
    RUNS,
  );
});

test('connect: flyweight and values agree on any bytes', () => {
  const flyweight = new ConnectRequestView();
  fc.assert(
    fc.property(noise, (record) => {
      const { bytes, view, start, end } = embedded(record);
      const reader = new JuteReader(bytes, view, start, end);
      const value = attempt(() => readConnectRequest(reader));
      const wrapped = flyweight.wrap(bytes, view, start, end);
      if (value !== null) assert.ok(wrapped && flyweight.recordEnd === reader.position);
      if (wrapped) assert.ok(flyweight.recordEnd <= end);
      attempt(() => readConnectResponse(new JuteReader(record)));
    }),
    RUNS,
  );
});

test('responses, headers and events: any bytes are a value or malformed', () => {
  const ops = fc.constantFrom(...Object.values(OpCode)) as fc.Arbitrary<Response['op']>;
  fc.assert(
    fc.property(noise, ops, (bytes, op) => {
      const reader = new JuteReader(bytes);
      attempt(() => readResponse(reader, op));
      assert.ok(reader.position <= bytes.length);
      attempt(() => readReplyHeader(new JuteReader(bytes)));
      attempt(() => readWatchEvent(new JuteReader(bytes)));
    }),
    RUNS,
  );
});

test('transactions: any bytes are a transaction inside their slice, or malformed', () => {
  const encoded = txn.map((value) => {
    const writer = new JuteWriter();
    writeTxn(writer, value);
    return writer.toBytes() as Uint8Array;
  });
  const types = fc.constantFrom(...Object.values(OpCode), 77);
  const headed = fc.tuple(types, noise).map(([type, record]) => {
    const bytes = new Uint8Array(32 + record.length);
    viewOf(bytes).setInt32(28, type);
    bytes.set(record, 32);
    return bytes;
  });
  const reader = new TxnReader();
  const subs = new SubTxnCursor();
  fc.assert(
    fc.property(fc.oneof(headed, damaged(encoded)), (payload) => {
      const { bytes, view, start, end } = embedded(payload);
      attempt(() => readTxn(bytes, start, end));
      if (!reader.wrap(bytes, view, start, end)) return;
      assert.ok(reader.recordEnd <= end);
      if (reader.type !== OpCode.multi) return;
      let count = 0;
      for (subs.wrap(reader); subs.next(); count++) assert.ok(subs.recordEnd <= reader.recordEnd);
      assert.equal(count, Math.max(reader.subsCount, 0));
    }),
    RUNS,
  );
});

test('framing: any stream in any chunks gives frames within the limit, then nothing after a refusal', () => {
  const limit = 40;
  const chunks = fc.array(fc.oneof(noise, fc.constantFrom(new Uint8Array(4), new Uint8Array(0))), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(chunks, fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), (stream, answers) => {
      let calls = 0;
      let refused = false;
      const splitter = new FrameSplitter(limit, {
        onFrame(bytes, _view, start, end) {
          assert.ok(!refused && start >= 4 && start <= end && end <= bytes.length && end - start <= limit);
          return answers[calls++ % answers.length]!;
        },
      });
      let total = 0;
      for (const chunk of stream) {
        total += chunk.length;
        let status = splitter.push(chunk);
        if (status === FrameStatus.stopped) status = splitter.resume();
        if (status === FrameStatus.tooLong) refused = true;
        if (refused) assert.equal(status, FrameStatus.tooLong);
        assert.ok(splitter.bufferedBytes >= 0 && splitter.bufferedBytes <= total);
      }
    }),
    RUNS,
  );
});
