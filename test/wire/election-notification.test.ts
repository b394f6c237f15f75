/** The election port's messages: what Apache sent decodes and encodes to the same bytes, and no bytes do harm. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decodeInitialMessage,
  decodeNotification,
  type ElectionNotification,
  encodeInitialMessage,
  encodeNotification,
  NO_VOTE,
} from '../../src/wire/election-notification.ts';
import { encodeUtf8 } from '../../src/wire/utf8.ts';
import { capturedConnections } from '../support/quorum-stream.ts';

function decode(bytes: Uint8Array) {
  return decodeNotification(
    bytes,
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    0,
    bytes.length,
  );
}

function decoded(bytes: Uint8Array): ElectionNotification {
  const notification = decode(bytes);
  assert.ok(typeof notification === 'object', String(notification));
  return notification;
}

describe('captured election streams', () => {
  const connections = capturedConnections('2');

  it('are all there', () => {
    assert.equal(new Set(connections.map(({ file }) => file)).size, 4);
    assert.ok(connections.flatMap(({ messages }) => messages).length > 50);
  });

  it('decode, say what their annotations say, and encode to the same bytes', () => {
    for (const { file, messages } of connections) {
      const [first, ...rest] = messages;
      const initial = decodeInitialMessage(first!.bytes, first!.bytes.length);
      assert.ok(typeof initial === 'object', `${file}: ${initial}`);
      const { sid, addresses } = initial.message;
      assert.ok(first!.note.includes(`sid=${sid} addr=${addresses[0]!.host}:${addresses[0]!.port}`));
      assert.deepEqual(Buffer.from(encodeInitialMessage(sid!, addresses, 'V1')), first!.bytes);
      for (const { bytes, note } of rest) {
        const n = decoded(bytes.subarray(4));
        assert.ok(
          note.includes(
            `state=${n.state} leader=${n.leader === NO_VOTE ? '-9223372036854775808' : n.leader} `,
          ),
          note,
        );
        assert.ok(note.includes(` electionEpoch=${n.electionEpoch} `), note);
        assert.deepEqual(Buffer.from(encodeNotification(n)), bytes, note);
      }
    }
  });
});

describe('notification', () => {
  const head = { state: 0, leader: 3, zxid: 0x2_0000_0007, electionEpoch: 9, peerEpoch: 5, version: 2 };
  const whole = encodeNotification({ ...head, config: encodeUtf8('version=0') }).subarray(4);

  it('of older generations is read as Apache reads it', () => {
    assert.deepEqual(decoded(whole.slice(0, 28)), {
      ...head,
      peerEpoch: 2,
      version: 0,
      config: new Uint8Array(0),
    });
    assert.deepEqual(decoded(whole.slice(0, 40)), { ...head, version: 0, config: new Uint8Array(0) });
  });

  it('of every other length below its head is refused', () => {
    for (let length = 0; length < 44; length++) {
      if (length === 28 || length === 40) continue;
      assert.equal(decode(whole.slice(0, length)), length < 28 ? 'too short' : 'cut off', String(length));
    }
  });

  it('of version 1 has no configuration, and bytes behind are ignored', () => {
    const old = Uint8Array.from(whole);
    new DataView(old.buffer).setInt32(36, 1);
    assert.deepEqual(decoded(old.slice(0, 44)), { ...head, version: 1, config: new Uint8Array(0) });
    assert.deepEqual(decoded(old.slice(0, 42)), { ...head, version: 1, config: new Uint8Array(0) });
    assert.equal(decoded(Uint8Array.from([...whole, 1, 2, 3])).config.length, 9);
  });

  it('with a length of configuration that is not there is refused before anything is allocated', () => {
    for (const length of [-1, -(2 ** 31), 10, 2 ** 31 - 1]) {
      const bytes = Uint8Array.from(whole);
      new DataView(bytes.buffer).setInt32(40, length);
      assert.equal(decode(bytes), 'wrong length of configuration', String(length));
    }
  });

  it('with numbers that no ensemble reaches is refused, but for "no vote"', () => {
    for (const offset of [4, 12, 20, 28]) {
      const bytes = Uint8Array.from(whole);
      const view = new DataView(bytes.buffer);
      view.setBigInt64(offset, 2n ** 53n);
      assert.equal(decode(bytes), 'number out of range');
      view.setBigInt64(offset, -(2n ** 63n) + 1n);
      assert.equal(decode(bytes), 'number out of range');
      view.setBigInt64(offset, -(2n ** 63n));
      assert.ok(typeof decode(bytes) === 'object');
      assert.deepEqual(encodeNotification(decoded(bytes)).slice(4), bytes);
    }
  });

  it('keeps its own copy of the configuration, also out of a Buffer', () => {
    const bytes = Buffer.from(whole);
    const { config } = decoded(bytes);
    bytes.fill(0);
    assert.equal(Buffer.from(config).toString(), 'version=0');
  });

  it('comes back as it was sent, and no bytes throw', () => {
    const long = fc.oneof(fc.maxSafeInteger(), fc.constant(NO_VOTE), fc.constant(-1));
    const notification = fc.record({
      state: fc.integer(),
      leader: long,
      zxid: long,
      electionEpoch: long,
      peerEpoch: long,
      version: fc.integer({ min: 2 }),
      config: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(notification, (sent) => {
        const { ...plain } = sent;
        assert.deepEqual(decoded(encodeNotification(sent).slice(4)), plain);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const result = decode(bytes);
        if (typeof result === 'object') assert.ok(result.config.length <= bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('initial message', () => {
  const address = { host: 'zk3.example', port: 3888 };
  const v1 = encodeInitialMessage(3, [address], 'V1');
  const parse = (bytes: Uint8Array) => decodeInitialMessage(bytes, bytes.length);

  it('names all addresses in V2 and one in V1, IPv6 in brackets', () => {
    const both = [address, { host: '0:0:0:0:0:0:0:1', port: 3889 }];
    assert.deepEqual(parse(encodeInitialMessage(7, both, 'V2')), {
      message: { sid: 7, addresses: both },
      bytes: 20 + 'zk3.example:3888|[0:0:0:0:0:0:0:1]:3889'.length,
    });
    const one = parse(encodeInitialMessage(7, both, 'V1'));
    assert.ok(typeof one === 'object');
    assert.deepEqual(one.message.addresses, [address]);
  });

  it('may come in any pieces, and what follows is left alone', () => {
    for (let length = 0; length < v1.length; length++) assert.equal(parse(v1.slice(0, length)), 'needs more');
    const result = parse(Uint8Array.from([...v1, 0, 0, 0, 44]));
    assert.ok(typeof result === 'object' && result.bytes === v1.length);
  });

  it('of 3.4 is a sid alone; of an anonymous observer not even that', () => {
    assert.deepEqual(parse(Buffer.from('0000000000000005ff', 'hex')), {
      message: { sid: 5, addresses: [] },
      bytes: 8,
    });
    const anonymous = parse(Buffer.from('7fffffffffffffff', 'hex'));
    assert.ok(typeof anonymous === 'object' && anonymous.message.sid === null);
  });

  it('leaves out addresses that nobody can dial', () => {
    const wild = [{ host: '0.0.0.0', port: 1 }, { host: '::', port: 2 }, address];
    const result = parse(encodeInitialMessage(3, wild, 'V2'));
    assert.ok(typeof result === 'object');
    assert.deepEqual(result.message.addresses, [address]);
  });

  const FAULTS: readonly (readonly [what: string, hex: string, fault: string])[] = [
    ['a TLS hello', '16030100a5010000a10303', 'sid out of range'],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n').toString('hex'), 'sid out of range'],
    ['a four-letter word', Buffer.from('srvr').toString('hex'), 'needs more'],
    ['a newer protocol', 'ffffffffffff0002', 'newer protocol'],
    ['a small negative number', 'fffffffffffffffe', 'newer protocol'],
    ['a positive half', 'ffffffff00000001', 'not an election connection'],
    ['an older one that never was', 'fffffffffffeffff', 'not an election connection'],
    ['a negative sid', 'ffffffffffff0000ffffffffffffffff0000000f', 'sid out of range'],
    ['a sid that is none', 'ffffffffffff000000200000000000000000000f', 'sid out of range'],
    ['no address', 'ffffffffffff0000000000000000000300000000', 'wrong length of addresses'],
    ['a negative length', 'ffffffffffff00000000000000000003ffffffff', 'wrong length of addresses'],
    ['a long address', 'ffffffffffff0000000000000000000300000801', 'wrong length of addresses'],
    ['no port', 'ffffffffffff0000000000000000000300000001' + '61', 'malformed address'],
    ['a port too large', 'ffffffffffff0000000000000000000300000007' + '613a3635353336', 'malformed address'],
    ['a bracket left open', 'ffffffffffff0000000000000000000300000004' + '5b3a3a31', 'malformed address'],
  ];

  it('is told from everything that is none', () => {
    for (const [what, hex, fault] of FAULTS) assert.equal(parse(Buffer.from(hex, 'hex')), fault, what);
  });

  it('never makes anything throw or read too far', () => {
    const start = fc.constantFrom('', 'ffffffffffff0000', 'ffffffffffff00010000000000000001');
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 60 }), (hex, bytes) => {
        const all = Buffer.concat([Buffer.from(hex, 'hex'), bytes]);
        const result = parse(all);
        if (typeof result === 'object') assert.ok(result.bytes <= all.length);
      }),
      { numRuns: 2000 },
    );
  });
});
