import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { ProposalLog, type ProposalRange } from '../../../src/core/zab/proposal-log.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import { packetBytes } from '../../wire/quorum/packets.ts';

const range = (): ProposalRange => ({ start: 0, end: 0, lastZxid: new Float64Array(1) });

/** All packets behind `zxid`, gathered range by range. */
function packetsBehind(log: ProposalLog, zxid: number, limit: number, bytesMax: number): Buffer {
  const parts: Uint8Array[] = [];
  const found = range();
  for (;;) {
    log.rangeBehind(zxid, limit, bytesMax, found);
    if (found.end === found.start) return Buffer.concat(parts);
    parts.push(log.bytes.slice(found.start, found.end));
    zxid = found.lastZxid[0]!;
  }
}

suite('ProposalLog', () => {
  test('keeps what fits, in order, and knows how far back it reaches', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const prng = new Prng(seed);
      const log = new ProposalLog(600, 16);
      const kept: { zxid: number; packet: Uint8Array }[] = [];
      log.restart(100);
      let floor = 100;
      let zxid = 100;
      for (let step = 0; step < 200; step++) {
        if (prng.chance(0.1) && kept.length > 0) {
          const last = kept[prng.below(kept.length)]!.zxid;
          log.withdrawBehind(last);
          while (kept.at(-1)!.zxid > last) kept.pop();
          zxid = last;
        }
        zxid += 1 + prng.below(3);
        const data = Uint8Array.from({ length: prng.below(120) }, () => prng.below(256));
        log.append(zxid, data, 0, data.length);
        kept.push({ zxid, packet: packetBytes(PacketType.proposal, zxid, data) });
        while (!log.reachesBackTo(kept[0]!.zxid - 1)) floor = kept.shift()!.zxid;
        const where = `seed ${seed} step ${step}`;
        assert.equal(log.length, kept.length, where);
        assert.equal(log.lastZxid, zxid, where);
        const at = prng.below(kept.length);
        const from = prng.chance(0.5) ? floor : kept[at]!.zxid;
        const expected = kept.filter((entry) => entry.zxid > from);
        assert.deepEqual(
          packetsBehind(log, from, Number.MAX_SAFE_INTEGER, prng.pick([1, 200, 10_000])),
          Buffer.concat(expected.map(({ packet }) => packet)),
          where,
        );
        assert.equal(log.nextZxid(from), expected[0]?.zxid ?? -1, where);
        assert.equal(log.floorOf(from), from, where);
        assert.equal(log.floorOf(kept[at]!.zxid), kept[at]!.zxid, where);
      }
    }
  });

  test('a limit ends a range', () => {
    const log = new ProposalLog(10_000, 16);
    for (const zxid of [1, 2, 3]) log.append(zxid, new Uint8Array(8), 0, 8);
    assert.deepEqual(
      packetsBehind(log, 0, 2, 10_000),
      Buffer.concat([1, 2].map((zxid) => packetBytes(PacketType.proposal, zxid, new Uint8Array(8)))),
    );
  });

  test('one that is longer than the log leaves it empty behind it', () => {
    const log = new ProposalLog(100, 16);
    log.append(1, new Uint8Array(8), 0, 8);
    log.append(2, new Uint8Array(200), 0, 200);
    assert.equal(log.length, 0);
    assert.equal(log.reachesBackTo(1), false);
    assert.equal(log.reachesBackTo(2), true);
    log.append(3, new Uint8Array(8), 0, 8);
    assert.equal(log.nextZxid(2), 3);
  });

  test('zxids must grow', () => {
    const log = new ProposalLog(1000, 16);
    log.append(5, new Uint8Array(8), 0, 8);
    assert.throws(() => log.append(5, new Uint8Array(8), 0, 8), /order of their zxids/);
  });
});
