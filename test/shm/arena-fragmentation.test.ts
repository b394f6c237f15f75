/**
 * Fragmentation of the arena is bounded: a fuzz of sizes against the bounds that its design guarantees. The load and
 * the bounds, with why they hold, are those of the campaign (`bench/campaigns/soak/arena-fuzz.ts`, `block-census.ts`).
 *
 *     owner         pages in use, at any time
 *     plain         sum over classes of min(ceil(most blocks ever / slots), blocks now + 1), and the runs:
 *                   bounded by what lived at some time, NOT by what lives now (shown below)
 *     compacting    1.5 x bytes of live blocks + 8 MiB: a compaction leaves at most live / (0.75 x 0.96) and a page per
 *                   class, which is below that, so it is never due again at once
 *
 *     segments      1 + (1 + R x most pages ever in use) / (1025 - R), R = pages of the longest block: never given back
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArenaFuzz, type Regime } from '../../bench/campaigns/soak/arena-fuzz.ts';
import { LEVEL, LEVEL_SPARE_BYTES, LIVE_SHARE_MAX } from '../../src/shm/compactor.ts';
import { PAGE_BYTES } from '../../src/shm/size-classes.ts';

const MIB = 1024 * 1024;
const CHECK_EVERY = 499;

/** Steps until every regime has been through once; `look` sees every step. */
function throughAllRegimes(fuzz: ArenaFuzz, look: () => void): void {
  const seen = new Set<Regime>();
  while (!(seen.size === 4 && fuzz.regime === 'drift')) {
    fuzz.step();
    seen.add(fuzz.regime);
    look();
  }
}

function pagesOf(fuzz: ArenaFuzz): number {
  return fuzz.arena.reservedBytes / PAGE_BYTES;
}

for (const seed of [1, 2]) {
  test(`without compaction pages are bounded by what each class has held (seed ${seed})`, () => {
    const fuzz = new ArenaFuzz({ seed, liveBytes: 4 * MIB, compacts: false });
    let mostPages = 0;
    throughAllRegimes(fuzz, () => {
      const pages = pagesOf(fuzz);
      mostPages = Math.max(mostPages, pages);
      if (fuzz.steps % CHECK_EVERY !== 0) return;
      const bound = fuzz.census.pagesMax();
      assert.ok(pages <= bound, `${fuzz.regime}, step ${fuzz.steps}: ${pages} pages, bound ${bound}`);
      assert.ok(fuzz.segments.list.length <= fuzz.census.segmentsMax(mostPages));
    });
    assert.equal(fuzz.compactor.rounds, 0);
  });

  test(`a compacting owner holds what its live blocks are worth (seed ${seed})`, () => {
    const fuzz = new ArenaFuzz({ seed, liveBytes: 8 * MIB, compacts: true });
    let mostUsedBytes = 0;
    throughAllRegimes(fuzz, () => {
      const { usedBytes, reservedBytes } = fuzz.arena;
      mostUsedBytes = Math.max(mostUsedBytes, usedBytes);
      const bound = LEVEL * usedBytes + LEVEL_SPARE_BYTES;
      assert.ok(reservedBytes <= bound, `${fuzz.regime}, step ${fuzz.steps}: ${reservedBytes} of ${bound}`);
      if (fuzz.steps % CHECK_EVERY !== 0) return;
      const mostPages = (LEVEL * mostUsedBytes + LEVEL_SPARE_BYTES) / PAGE_BYTES;
      assert.ok(fuzz.segments.list.length <= fuzz.census.segmentsMax(mostPages));
    });
    assert.ok(fuzz.compactor.rounds > 0, 'this load needs compaction');
  });
}

test('one block per page keeps pages that a plain owner never gets back, and one compaction does', () => {
  const fuzz = new ArenaFuzz({ seed: 3, liveBytes: 16 * MIB, compacts: false });
  while (!(fuzz.regime === 'pins' && fuzz.arena.reservedBytes > 8 * fuzz.arena.usedBytes)) fuzz.step();
  const before = pagesOf(fuzz);
  assert.ok(before <= fuzz.census.pagesMax());
  fuzz.compact();
  const after = pagesOf(fuzz);
  const bound = fuzz.census.pagesMaxCompacted(LIVE_SHARE_MAX);
  assert.ok(after <= bound, `${after} pages of ${before} after the compaction, bound ${bound}`);
  assert.ok(after < before / 4, `${after} of ${before}`);
  assert.equal(fuzz.arena.withdrawSparsePages(LIVE_SHARE_MAX, 1), 0, 'one compaction finds all there is');
});
