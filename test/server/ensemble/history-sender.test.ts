/**
 * HistorySender: what a learner is sent, whatever of the history is in memory, on the disk or in a snapshot, in chunks of any size; and
 * that it says so when it cannot go on.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeZxid, type Zxid } from '../../../src/base/zxid.ts';
import { STREAM_BEHIND } from '../../../src/core/zab/learner-stream.ts';
import { ProposalLog } from '../../../src/core/zab/proposal-log.ts';
import type { SyncPlan } from '../../../src/core/zab/sync-plan.ts';
import { HistorySender } from '../../../src/server/ensemble/history-sender.ts';
import { SnapshotCompression } from '../../../src/storage/data-files.ts';
import { SnapshotWriter } from '../../../src/storage/snapshot-writer.ts';
import { PacketSplitter } from '../../../src/wire/quorum/packet-splitter.ts';
import { PacketType, packetTypeName } from '../../../src/wire/quorum/packet-types.ts';
import { appendAll, appender, DIRECTORY, payload } from '../../storage/support/collect.ts';
import { MemoryDisk } from '../../storage/support/memory-disk.ts';

const Z = (counter: number, epoch = 1): Zxid => makeZxid(epoch, counter);

/** Transactions 1:1 to 1:40 on the disk in three files, those behind `inMemory` also in the proposal log; a snapshot as of 1:25. */
function world(inMemory = 30) {
  const disk = new MemoryDisk();
  const log = appender(disk, 0, { preallocBytes: 8192 });
  appendAll(log, Z(1), new Array(10).fill(60));
  log.roll();
  appendAll(log, Z(11), new Array(10).fill(60));
  log.roll();
  appendAll(log, Z(21), new Array(20).fill(60));
  const proposals = new ProposalLog(1 << 16, 64);
  proposals.restart(Z(inMemory));
  for (let counter = inMemory + 1; counter <= 40; counter++) {
    const bytes = payload(Z(counter), 60);
    proposals.append(Z(counter), bytes, 0, bytes.length);
  }
  for (const compression of [SnapshotCompression.none]) snapshot(disk, Z(25), compression);
  const asked = { snapshots: 0 };
  const startSnapshot = (): void => void asked.snapshots++;
  const reach = { historyFloor: Z(0), decided: Z(40), durable: Z(40), startSnapshot };
  const dirs = { snapshotDirectory: DIRECTORY, logDirectory: DIRECTORY, initializeMarker: '' };
  const send = (peer: Zxid, plan: SyncPlan): HistorySender =>
    new HistorySender({ disk, dirs, reach }, proposals, peer, plan);
  return { disk, log, proposals, reach, asked, send };
}

/** One of an empty tree but for a node of many bytes. */
function snapshot(disk: MemoryDisk, zxid: Zxid, compression: SnapshotCompression): void {
  const writer = new SnapshotWriter(disk, DIRECTORY, zxid, compression);
  writer.block(new Uint8Array(4));
  writer.block(new Uint8Array(4));
  for (const path of ['', '/large']) {
    const data = path === '' ? 0 : 100_000;
    const length = 4 + path.length + 4 + data + 8 + 60;
    const at = writer.claim(length);
    writer.view.setInt32(at, path.length);
    for (let i = 0; i < path.length; i++) writer.bytes[at + 4 + i] = path.charCodeAt(i);
    writer.view.setInt32(at + 4 + path.length, data);
    writer.commit(length);
  }
  writer.finish({ zxid, high: 1, low: 2 });
}

/** What is sent, in words: runs of one type as first..last. */
function sent(sender: HistorySender, roomBytes = 64 * 1024): string {
  const words: string[] = [];
  let raw = 0;
  const splitter: PacketSplitter = new PacketSplitter(1 << 20, {
    onPacket: ({ type, zxid, dataLength }) => {
      words.push(`${packetTypeName(type)} ${zxid % 2 ** 32}${dataLength >= 0 ? '+' : ''}`);
      if (type === PacketType.snap) splitter.beginRaw();
      return true;
    },
    onRaw: (bytes, _view, start, end) => {
      const text = Buffer.from(bytes.subarray(start, end)).toString('latin1');
      const at = text.indexOf('BenWasHere');
      if (at < 0) {
        raw += end - start;
        return end - start;
      }
      raw += at + 10;
      splitter.endRaw();
      words.push(`${raw} bytes`);
      return at + 10;
    },
  });
  const bytes = new Uint8Array(roomBytes);
  for (let n = 0; n < 1000 && !sender.isDone; n++) {
    const end = sender.fill(bytes, new DataView(bytes.buffer), 0, roomBytes);
    if (end === STREAM_BEHIND) return 'behind';
    splitter.push(bytes.subarray(0, end));
  }
  assert.ok(sender.isDone);
  sender.close();
  return words.join(', ');
}

/** As pairs, or first all proposals, as far as a chunk goes: a learner knows both. */
function zxidsOf(words: string): { proposed: string; committed: string } {
  const of = (type: string): string =>
    words
      .split(', ')
      .filter((word) => word.startsWith(`${type} `))
      .map((word) => word.slice(type.length + 1).replace('+', ''))
      .join(' ');
  return { proposed: of('PROPOSAL'), committed: of('COMMIT') };
}

function counters(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i).join(' ');
}

describe('HistorySender', () => {
  it('sends nothing but a DIFF to whoever has everything', () => {
    const { send } = world();
    assert.equal(sent(send(Z(40), { kind: 'diff', from: Z(40) })), 'DIFF 40');
  });

  for (const [where, peer] of [
    ['memory', 35],
    ['the disk and then memory', 7],
    ['the disk, from the last record of a file', 10],
  ] as const) {
    it(`sends what follows from ${where}, each with its COMMIT`, () => {
      const { send } = world();
      const plan: SyncPlan = peer >= 30 ? { kind: 'diff', from: Z(peer) } : { kind: 'log' };
      const words = sent(send(Z(peer), plan));
      assert.ok(words.startsWith('DIFF 40, '), words);
      const all = counters(peer + 1, 40);
      assert.deepEqual(zxidsOf(words), { proposed: all, committed: all });
    });
  }

  it('cuts, then sends what follows', () => {
    const words = sent(world().send(Z(36), { kind: 'trunc', to: Z(33) }));
    assert.ok(words.startsWith('TRUNC 33, '), words);
    assert.equal(zxidsOf(words).committed, counters(34, 40));
  });

  it('sends the newest snapshot and what follows it, in chunks of any size', () => {
    for (const room of [16 * 1024, 20_000, 64 * 1024, 1 << 20]) {
      const words = sent(world().send(Z(0), { kind: 'snap' }), room);
      const body = 4 + 4 + (4 + 4 + 68) + (4 + 6 + 4 + 100_000 + 68) + 5 + 14;
      assert.ok(words.startsWith(`SNAP 25, ${body} bytes, `), words.slice(0, 100));
      assert.equal(zxidsOf(words).committed, counters(26, 40));
    }
  });

  it('sends no tree that is older than what the learner has: another is written first', () => {
    const { send, asked, disk } = world();
    // It has 1:30, which it has acknowledged, and something of an epoch that nobody knows.
    const sender = send(Z(7, 2), { kind: 'snap' });
    const bytes = new Uint8Array(64 * 1024);
    assert.equal(sender.fill(bytes, new DataView(bytes.buffer), 0, bytes.length), 0);
    assert.equal(asked.snapshots, 1);
    assert.equal(sender.isDone, false);
    snapshot(disk, Z(40), SnapshotCompression.none);
    assert.match(sent(sender), /^SNAP 40/);
    assert.equal(sender.isDone, true);
  });

  it('sends a tree to whoever is none of ours, or from before what the log has', () => {
    const foreign = world();
    assert.match(sent(foreign.send(Z(7, 0), { kind: 'log' })), /^SNAP 25/);
    const gap = world();
    gap.reach.historyFloor = Z(20);
    assert.match(sent(gap.send(Z(10), { kind: 'log' })), /^SNAP 25/);
    const purged = world();
    purged.disk.remove(`${DIRECTORY}/log.${Z(1).toString(16)}`);
    assert.match(sent(purged.send(Z(7), { kind: 'log' })), /^SNAP 25/);
    assert.match(sent(purged.send(Z(10), { kind: 'log' })), /^DIFF/);
  });

  it('goes on with what is decided meanwhile, and not before', () => {
    const { send, reach } = world();
    reach.decided = Z(33);
    const sender = send(Z(31), { kind: 'diff', from: Z(31) });
    assert.equal(zxidsOf(sent(sender)).committed, counters(32, 33));
    assert.equal(sender.zxid, Z(33));
    reach.decided = Z(38);
    assert.equal(sender.isDone, false);
    assert.equal(zxidsOf(sent(sender)).committed, counters(34, 38));
  });

  it('says so when the snapshot or the log is damaged, and when the proposals have gone on without it', () => {
    const torn = world();
    const path = `${DIRECTORY}/snapshot.${Z(25).toString(16)}`;
    torn.disk.open(path, 'update').write(Uint8Array.of(0xff), 0, 1, 50_000);
    assert.throws(() => sent(torn.send(Z(0), { kind: 'snap' })), { name: 'CorruptionFailure' });
    const cut = world();
    cut.disk.remove(`${DIRECTORY}/log.${Z(11).toString(16)}`);
    assert.throws(() => sent(cut.send(Z(7), { kind: 'log' })), { name: 'CorruptionFailure' });
    const { send, proposals } = world();
    const sender = send(Z(31), { kind: 'diff', from: Z(31) });
    const bytes = new Uint8Array(280);
    // A proposal without its COMMIT is the last that fits.
    sender.fill(bytes, new DataView(bytes.buffer), 0, bytes.length);
    proposals.restart(Z(40));
    assert.equal(sent(sender), 'behind');
  });
});
