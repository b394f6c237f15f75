/** A snapshot that comes in pieces, as from a socket, gives what the file gives, wherever the pieces end. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { CorruptionFailure } from '../../src/base/failure.ts';
import { Prng } from '../../src/base/prng.ts';
import { ByteWindow, ChunkSource } from '../../src/storage/byte-window.ts';
import { type SnapshotFormat, SnapshotParser } from '../../src/storage/snapshot-parser.ts';
import { SnapshotCollector } from './support/collect.ts';

const DIRECTORY = join(import.meta.dirname, '../fixtures/apache-3.8.0/standalone-datadir-rolled');
const HEADER_BYTES = 16;
const SEAL_BYTES = 13;
const DIGEST_BYTES = 20;

/** The newest plain snapshot of Apache's. */
function snapshotFile(): Buffer {
  const directory = readdirSync(DIRECTORY, { recursive: true, encoding: 'utf8' })
    .filter((name) => /snapshot\.[0-9a-f]+$/.test(name))
    .sort()
    .at(-1)!;
  return readFileSync(join(DIRECTORY, directory));
}

/** As a leader sends it: without header, seals and digest, with the signature. */
function asStream(file: Buffer): Buffer {
  const body = file.subarray(HEADER_BYTES, file.length - SEAL_BYTES - DIGEST_BYTES - SEAL_BYTES);
  return Buffer.concat([body, Buffer.from('0000000a42656e57617348657265', 'hex')]);
}

interface Parsed {
  readonly sink: SnapshotCollector;
  readonly isWhole: boolean;
  /** Bytes behind it. */
  readonly rest: Buffer;
}

function parse(bytes: Uint8Array, format: SnapshotFormat, pieceBytes: () => number): Parsed {
  const sink = new SnapshotCollector();
  const source = new ChunkSource();
  const window = new ByteWindow(source, 64);
  const parser = new SnapshotParser(window, 'the leader', format, sink);
  let isWhole = parser.advance();
  for (let at = 0; at < bytes.length; ) {
    const end = at + pieceBytes();
    source.push(bytes.slice(at, end));
    at = end;
    isWhole = parser.advance();
  }
  if (!isWhole) parser.end();
  const rest: Buffer[] = [];
  for (; window.ensure(1); window.start = window.end) {
    rest.push(Buffer.from(window.bytes.slice(window.start, window.end)));
  }
  return { sink, isWhole, rest: Buffer.concat(rest) };
}

suite('a snapshot in pieces', () => {
  const file = snapshotFile();
  const whole = parse(file, 'file', () => file.length).sink;

  test('of any sizes is the same as in one', () => {
    assert.ok(whole.nodes.length > 4 && whole.acls.length > 0);
    assert.deepEqual(parse(file, 'file', () => 1).sink, whole);
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prng = new Prng(seed);
        assert.deepEqual(parse(file, 'file', () => 1 + prng.below(300)).sink, whole);
      }),
      { numRuns: 50 },
    );
  });

  test('from a leader: the same content; what follows is left for the next reader', () => {
    const packets = Buffer.from('the packets behind it');
    for (const bytes of [1, 7, 100_000]) {
      const { sink, isWhole, rest } = parse(Buffer.concat([asStream(file), packets]), 'stream', () => bytes);
      assert.ok(isWhole);
      assert.deepEqual([sink.sessions, sink.acls, sink.nodes], [whole.sessions, whole.acls, whole.nodes]);
      assert.equal(rest.toString(), packets.toString());
    }
  });

  test('that ends too early, or has another signature, is refused', () => {
    const stream = asStream(file);
    for (let length = 0; length < stream.length; length += 13) {
      assert.throws(
        () => parse(stream.subarray(0, length), 'stream', () => 50),
        /the leader is corrupt at offset \d+ of its contents: the data ends too early/,
      );
    }
    stream[stream.length - 1]! ^= 1;
    assert.throws(() => parse(stream, 'stream', () => 50), /the signature is not "BenWasHere"/);
    for (let length = 0; length < file.length; length += 13) {
      const cut = file.subarray(0, length);
      // Without digest section it is the whole file of an older server.
      if (length === file.length - SEAL_BYTES - DIGEST_BYTES) continue;
      assert.throws(() => parse(cut, 'file', () => 50), CorruptionFailure);
    }
  });
});
