/** connect.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AssertionFailure } from '../../src/base/assert.ts';
import { joinHalves } from '../../src/base/int64.ts';
import {
  CONNECT_RESPONSE_FRAME_BYTES_MAX,
  type ConnectRequest,
  ConnectRequestView,
  readConnectRequest,
  readConnectResponse,
  writeConnectRequest,
  writeConnectResponse,
  writeSessionRefusal,
} from '../../src/wire/connect.ts';
import { JuteReader, MalformedRecord } from '../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { writeConnectResponseValue } from '../support/wire/server-values.ts';
import { int32, int64, nullableBlob, zxid } from './arbitraries.ts';
import { embedded, hex, toHex, viewOf } from './bytes.ts';

const request: fc.Arbitrary<ConnectRequest> = fc.record(
  {
    protocolVersion: int32,
    lastZxidSeen: zxid,
    timeoutMs: int32,
    sessionId: int64,
    password: nullableBlob,
    readOnly: fc.option(fc.boolean()),
  },
  { noNullPrototype: true },
);

test('a connect request survives a round trip, and the flyweight sees the same', () => {
  const flyweight = new ConnectRequestView();
  fc.assert(
    fc.property(request, (value) => {
      const writer = new JuteWriter();
      writeConnectRequest(writer, value);
      assert.deepEqual(readConnectRequest(new JuteReader(writer.toBytes())), value);

      const { bytes, view, start, end } = embedded(writer.toBytes());
      assert.ok(flyweight.wrap(bytes, view, start, end));
      const { passwordStart, passwordLength, hasReadOnly, readOnly } = flyweight;
      assert.deepEqual(
        {
          protocolVersion: flyweight.protocolVersion,
          lastZxidSeen: flyweight.lastZxidSeen,
          timeoutMs: flyweight.timeoutMs,
          sessionId: joinHalves(flyweight.sessionIdHigh, flyweight.sessionIdLow),
          password: passwordLength === -1 ? null : bytes.slice(passwordStart, passwordStart + passwordLength),
          readOnly: hasReadOnly ? readOnly : null,
        },
        value,
      );
    }),
  );
});

test('the request of a real client has 44 or 45 bytes; fewer are refused', () => {
  const fixed = '00000000 0000000000000000 00002710 0000000000000000 00000010' + '00'.repeat(16);
  const flyweight = new ConnectRequestView();
  for (const [bytes, length, hasReadOnly] of [
    [hex(fixed), 44, false],
    [hex(fixed + '01'), 45, true],
  ] as const) {
    assert.equal(bytes.length, length);
    assert.ok(flyweight.wrap(bytes, viewOf(bytes), 0, length));
    assert.equal(flyweight.hasReadOnly, hasReadOnly);
    assert.equal(flyweight.timeoutMs, 10_000);
  }
  const bytes = hex(fixed);
  for (let end = 0; end < 44; end++) assert.equal(flyweight.wrap(bytes, viewOf(bytes), 0, end), false);
});

test('a response has 36 bytes, or 37 when the request carried the readOnly byte', () => {
  const password = hex('ff 000102030405060708090a0b0c0d0e0f');
  const bytes = new Uint8Array(CONNECT_RESPONSE_FRAME_BYTES_MAX + 3);
  const view = viewOf(bytes);
  const golden = '00000000 00007530 0100010203040506 00000010 000102030405060708090a0b0c0d0e0f'.replaceAll(
    ' ',
    '',
  );
  let end = writeConnectResponse(bytes, view, 3, 30_000, 0x01000102, 0x03040506, password, 1, false, false);
  assert.equal(toHex(bytes.subarray(3, end)), '00000024' + golden);
  end = writeConnectResponse(bytes, view, 3, 30_000, 0x01000102, 0x03040506, password, 1, true, false);
  assert.equal(toHex(bytes.subarray(3, end)), '00000025' + golden + '00');
  assert.equal(end, bytes.length);
});

test('a refusal is all zeros with a password of 16 bytes', () => {
  const bytes = new Uint8Array(41);
  assert.equal(writeSessionRefusal(bytes, viewOf(bytes), 0, true), 41);
  assert.equal(toHex(bytes), '00000025' + '00'.repeat(16) + '00000010' + '00'.repeat(16) + '00');
  assert.equal(writeSessionRefusal(bytes, viewOf(bytes), 0, false), 40);
  assert.equal(viewOf(bytes).getInt32(0), 36);
});

test('the response writers agree, and the value survives a round trip', () => {
  fc.assert(
    fc.property(
      int32,
      int32,
      int32,
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.option(fc.boolean()),
      (timeoutMs, high, low, password, readOnly) => {
        const value = { protocolVersion: 0, timeoutMs, sessionId: joinHalves(high, low), password, readOnly };
        const writer = new JuteWriter();
        writeConnectResponseValue(writer, value);
        const frame = new Uint8Array(41);
        const end = writeConnectResponse(
          frame,
          viewOf(frame),
          0,
          timeoutMs,
          high,
          low,
          password,
          0,
          readOnly !== null,
          readOnly === true,
        );
        assert.equal(toHex(frame.subarray(4, end)), toHex(writer.written));
        assert.deepEqual(readConnectResponse(new JuteReader(writer.toBytes())), value);
      },
    ),
  );
});

test('a password of another size is refused on both sides', () => {
  const bytes = hex('00000000 00000000 0000000000000000 00000001 00');
  assert.throws(() => readConnectResponse(new JuteReader(bytes)), MalformedRecord);
  const value = {
    protocolVersion: 0,
    timeoutMs: 0,
    sessionId: 0n,
    password: new Uint8Array(8),
    readOnly: null,
  };
  assert.throws(() => writeConnectResponseValue(new JuteWriter(), value), AssertionFailure);
});
