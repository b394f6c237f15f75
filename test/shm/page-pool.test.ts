import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PagePool, SEGMENT_PAGES } from '../../src/shm/page-pool.ts';
import { Segments } from '../../src/shm/segments.ts';

test('pages are counted exactly, up to the limit, and page 0 is never handed out', () => {
  const pool = new PagePool(new Segments(), 10);
  assert.equal(pool.freePages, SEGMENT_PAGES - 1);
  const run = pool.take(6);
  assert.ok(run > 0);
  assert.equal(pool.take(5), 0, 'over the limit');
  const rest = pool.take(4);
  assert.ok(rest > 0);
  assert.equal(pool.usedPages, 10);
  pool.give(run, 6);
  pool.give(rest, 4);
  assert.equal(pool.usedPages, 0);
  assert.equal(pool.freePages, SEGMENT_PAGES - 1);
});

test('the smallest run that fits is used, and neighbours join again', () => {
  const segments = new Segments();
  const pool = new PagePool(segments, 10_000);
  const first = pool.take(3);
  const barrier = pool.take(1);
  const second = pool.take(2);
  const end = pool.take(1);
  pool.give(first, 3);
  pool.give(second, 2);
  assert.equal(pool.take(2), second);
  assert.equal(pool.take(2), first);
  pool.give(first, 2);
  pool.give(second, 2);
  pool.give(barrier, 1);
  assert.equal(pool.take(6), first, 'three neighbours became one');
  pool.give(first, 6);
  pool.give(end, 1);
  assert.equal(pool.take(SEGMENT_PAGES - 1), first);
  assert.equal(segments.list.length, 1);
});

test('a run never crosses segments, and a whole segment can be taken', () => {
  const segments = new Segments();
  const pool = new PagePool(segments, 10_000);
  pool.take(SEGMENT_PAGES - 11);
  const across = pool.take(20);
  assert.equal(across, SEGMENT_PAGES);
  assert.equal(pool.take(10), SEGMENT_PAGES - 10);
  assert.equal(pool.take(SEGMENT_PAGES), 2 * SEGMENT_PAGES);
  assert.equal(segments.list.length, 3);
});

test('any sequence of takes and gives: runs are disjoint, all pages come back', () => {
  const command = fc.oneof(
    fc.record({ take: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 700 })) }),
    fc.record({ give: fc.nat(1000) }),
  );
  fc.assert(
    fc.property(fc.array(command, { minLength: 30, maxLength: 200, size: 'max' }), (commands) => {
      const segments = new Segments();
      const pool = new PagePool(segments, 2 ** 20);
      const owner = new Int32Array(SEGMENT_PAGES * 32);
      const runs: { run: number; pages: number }[] = [];
      let used = 0;
      for (const command of commands) {
        if ('take' in command) {
          if (used + command.take > 5000) continue;
          const run = pool.take(command.take);
          assert.ok(run > 0);
          assert.equal(Math.floor(run / SEGMENT_PAGES), Math.floor((run + command.take - 1) / SEGMENT_PAGES));
          for (let page = run; page < run + command.take; page++)
            assert.equal(owner[page]++, 0, 'page taken twice');
          runs.push({ run, pages: command.take });
          used += command.take;
        } else if (runs.length > 0) {
          const [{ run, pages }] = runs.splice(command.give % runs.length, 1) as [
            { run: number; pages: number },
          ];
          for (let page = run; page < run + pages; page++) owner[page]--;
          pool.give(run, pages);
          used -= pages;
        }
        assert.equal(pool.usedPages, used);
      }
      for (const { run, pages } of runs) pool.give(run, pages);
      // Everything has joined again: each segment is one free run.
      for (let segment = segments.list.length - 1; segment > 0; segment--)
        assert.ok(pool.take(SEGMENT_PAGES) > 0);
      assert.equal(pool.take(SEGMENT_PAGES - 1), 1);
      assert.equal(pool.freePages, 0);
    }),
    { numRuns: 60 },
  );
});
