/** opcodes.ts, error-codes.ts, limits.ts, four-letter.ts, stat.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ErrorCode, errorName, errorText } from '../../src/wire/error-codes.ts';
import { FourLetterWord, fourLetterName, isFourLetterWord } from '../../src/wire/four-letter.ts';
import { JuteReader } from '../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { FRAME_BYTES_MAX_DEFAULT, fieldBytesMax } from '../../src/wire/limits.ts';
import { isWrite, lastOpName, OpCode, opName } from '../../src/wire/opcodes.ts';
import {
  readStat,
  STAT_BYTES,
  STAT_PERSISTED_BYTES,
  StatOffset,
  StatPersistedOffset,
} from '../../src/wire/stat.ts';
import { readStatPersisted, writeStat, writeStatPersisted } from '../support/wire/server-values.ts';
import { stat, statPersisted } from './arbitraries.ts';
import { hex, viewOf } from './bytes.ts';

test('opcodes have distinct numbers and names', () => {
  const codes = Object.values(OpCode);
  assert.equal(new Set(codes).size, codes.length);
  assert.equal(opName(OpCode.getData), 'getData');
  assert.equal(opName(77), 'unknown(77)');
});

test('writes are what becomes a transaction', () => {
  const writes = Object.values(OpCode).filter(isWrite);
  assert.deepEqual(
    writes.sort((a, b) => a - b),
    [-11, -10, 1, 2, 5, 7, 14, 15, 16, 19, 20, 21],
  );
});

test('the four-letter word `cons` abbreviates operations as Apache does', () => {
  assert.equal(lastOpName(OpCode.createTtl), 'CREA');
  assert.equal(lastOpName(OpCode.getAllChildrenNumber), 'GETACN');
  assert.equal(lastOpName(OpCode.auth), 'NA');
});

test('every error code has a name and a text', () => {
  for (const code of Object.values(ErrorCode)) {
    assert.doesNotMatch(errorName(code), /UNKNOWN\(/);
    assert.doesNotMatch(errorText(code), /^unknown error/);
  }
  assert.equal(errorName(-101), 'NONODE');
  assert.equal(errorName(-999), 'UNKNOWN(-999)');
  assert.equal(errorText(-999), 'unknown error -999');
});

test('a field may be longer than a frame, by no less than 1 KiB and never beyond an int32', () => {
  assert.equal(fieldBytesMax(FRAME_BYTES_MAX_DEFAULT), 2_097_150);
  assert.equal(fieldBytesMax(4096, 10), 5120);
  assert.equal(fieldBytesMax(0x7fffffff), 0x7fffffff);
});

test('four-letter words are the int32 of their bytes and lie outside every frame limit', () => {
  assert.equal(FourLetterWord.ruok, viewOf(new Uint8Array(Buffer.from('ruok'))).getInt32(0));
  assert.equal(FourLetterWord.telnetClose, viewOf(hex('fff4fffd')).getInt32(0));
  assert.equal(fourLetterName(FourLetterWord.mntr), 'mntr');
  assert.equal(fourLetterName(FourLetterWord.telnetClose), 'telnet close');
  assert.equal(fourLetterName(44), undefined);
  assert.equal(isFourLetterWord(Buffer.from('lead').readInt32BE()), false);
  for (const word of Object.values(FourLetterWord)) {
    assert.ok(isFourLetterWord(word));
    assert.ok(word < 0 || word > 0x10000000);
  }
});

test('a Stat survives a round trip and each field stands at its offset', () => {
  fc.assert(
    fc.property(stat, (value) => {
      const writer = new JuteWriter();
      writeStat(writer, value);
      const bytes = writer.toBytes();
      assert.equal(bytes.length, STAT_BYTES);
      assert.deepEqual(readStat(new JuteReader(bytes)), value);
      const view = viewOf(bytes);
      for (const name of ['version', 'cversion', 'aversion', 'dataLength', 'numChildren'] as const) {
        assert.equal(view.getInt32(StatOffset[name]), value[name]);
      }
      for (const name of ['czxid', 'mzxid', 'ctime', 'mtime', 'ephemeralOwner', 'pzxid'] as const) {
        assert.equal(view.getBigInt64(StatOffset[name]), BigInt(value[name]));
      }
    }),
  );
});

test('a persisted Stat survives a round trip and each field stands at its offset', () => {
  fc.assert(
    fc.property(statPersisted, (value) => {
      const writer = new JuteWriter();
      writeStatPersisted(writer, value);
      const bytes = writer.toBytes();
      assert.equal(bytes.length, STAT_PERSISTED_BYTES);
      assert.deepEqual(readStatPersisted(new JuteReader(bytes)), value);
      const view = viewOf(bytes);
      for (const name of ['version', 'cversion', 'aversion'] as const) {
        assert.equal(view.getInt32(StatPersistedOffset[name]), value[name]);
      }
      for (const name of ['czxid', 'mzxid', 'ctime', 'mtime', 'ephemeralOwner', 'pzxid'] as const) {
        assert.equal(view.getBigInt64(StatPersistedOffset[name]), BigInt(value[name]));
      }
    }),
  );
});
