/** responses.ts, reply-header.ts, watch-event.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { JuteReader, MalformedRecord } from '../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import {
  REPLY_HEADER_BYTES,
  REPLY_HEADER_FRAME_BYTES,
  readReplyHeader,
  writeReplyHeader,
} from '../../src/wire/reply-header.ts';
import { readResponse } from '../../src/wire/responses.ts';
import {
  EventType,
  KeeperState,
  readWatchEvent,
  watchEventFrameBytes,
  writeWatchEvent,
} from '../../src/wire/watch-event.ts';
import { writeReplyFrame, writeWatchEventValue } from '../support/wire/server-values.ts';
import { int32, response, text, zxid } from './arbitraries.ts';
import { toHex, viewOf } from './bytes.ts';

test('every response survives a round trip as a frame, and the two header writers agree', () => {
  fc.assert(
    fc.property(response, int32, zxid, (value, xid, zxid) => {
      const header = { xid, zxid, err: 0 };
      const writer = new JuteWriter();
      writeReplyFrame(writer, header, value);
      const frame = writer.toBytes();
      const bodyLength = frame.length - REPLY_HEADER_FRAME_BYTES;
      const written = new Uint8Array(REPLY_HEADER_FRAME_BYTES);
      assert.equal(writeReplyHeader(viewOf(written), 0, bodyLength, xid, zxid, 0), REPLY_HEADER_FRAME_BYTES);
      assert.equal(toHex(frame.subarray(0, REPLY_HEADER_FRAME_BYTES)), toHex(written));

      const reader = new JuteReader(frame, viewOf(frame), 4);
      assert.deepEqual(readReplyHeader(reader), header);
      assert.equal(reader.position, 4 + REPLY_HEADER_BYTES);
      assert.deepEqual(readResponse(reader, value.op), value);
      assert.equal(reader.remaining, 0);
    }),
    { numRuns: 1000 },
  );
});

test('a response that is cut short is malformed', () => {
  fc.assert(
    fc.property(response, fc.nat(), (value, at) => {
      const writer = new JuteWriter();
      writeReplyFrame(writer, { xid: 1, zxid: 1, err: 0 }, value);
      const frame = writer.toBytes();
      const bodyLength = frame.length - REPLY_HEADER_FRAME_BYTES;
      fc.pre(bodyLength > 0);
      const end = REPLY_HEADER_FRAME_BYTES + (at % bodyLength);
      const reader = new JuteReader(frame, viewOf(frame), REPLY_HEADER_FRAME_BYTES, end);
      assert.throws(() => readResponse(reader, value.op), MalformedRecord);
    }),
  );
});

test('an error reply is the header alone', () => {
  const writer = new JuteWriter();
  writeReplyFrame(writer, { xid: 5, zxid: -1, err: ErrorCode.unimplemented }, null);
  assert.equal(toHex(writer.written), '00000010' + '00000005' + 'ffffffffffffffff' + 'fffffffa');
});

test('addWatch is answered with four zero bytes', () => {
  const writer = new JuteWriter();
  writeReplyFrame(writer, { xid: 5, zxid: 7, err: 0 }, { op: OpCode.addWatch, err: 0 });
  assert.equal(toHex(writer.written), '00000014' + '00000005' + '0000000000000007' + '00000000' + '00000000');
});

test('a notification carries xid -1, the zxid of the transaction and the state of a live session', () => {
  const path = new TextEncoder().encode('x/ab');
  const bytes = new Uint8Array(2 + watchEventFrameBytes(3));
  const end = writeWatchEvent(bytes, viewOf(bytes), 2, 0x100000002, EventType.nodeDeleted, path, 1, 3);
  assert.equal(end, bytes.length);
  assert.equal(
    toHex(bytes.subarray(2)),
    '0000001f' +
      'ffffffff' +
      '0000000100000002' +
      '00000000' +
      '00000002' +
      '00000003' +
      '00000003' +
      '2f6162',
  );
  const reader = new JuteReader(bytes, viewOf(bytes), 6);
  assert.deepEqual(readReplyHeader(reader), { xid: -1, zxid: 0x100000002, err: 0 });
  assert.deepEqual(readWatchEvent(reader), {
    type: EventType.nodeDeleted,
    state: KeeperState.syncConnected,
    path: '/ab',
  });
});

test('a watch event survives a round trip', () => {
  fc.assert(
    fc.property(int32, int32, text, (type, state, path) => {
      const writer = new JuteWriter();
      writeWatchEventValue(writer, { type, state, path });
      assert.deepEqual(readWatchEvent(new JuteReader(writer.toBytes())), { type, state, path });
    }),
  );
});
