import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RequestWindow } from '../../src/net/request-window.ts';

test('until the first answer one request may be in flight', () => {
  const window = new RequestWindow(10, 1000);
  assert.equal(window.isOpen, true);
  window.submit(1);
  assert.equal(window.isOpen, false);
  window.complete();
  assert.equal(window.isOpen, true);
  for (let i = 0; i < 9; i++) window.submit(1);
  assert.equal(window.isOpen, true);
  window.submit(1);
  assert.equal(window.isOpen, false);
  window.revoke(1);
  assert.equal(window.isOpen, true);
});

test('never open with the byte limit in flight, and always open once all is answered', () => {
  const BYTES_MAX = 1000;
  const step = fc.oneof(fc.integer({ min: 0, max: 400 }), fc.constant('answer' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const window = new RequestWindow(1_000_000, BYTES_MAX);
      window.submit(10);
      window.complete();
      const sizes: number[] = [];
      for (const next of steps) {
        const inFlightBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
        if (inFlightBytes >= BYTES_MAX) assert.equal(window.isOpen, false);
        if (next === 'answer') {
          if (sizes.shift() !== undefined) window.complete();
        } else if (window.isOpen) {
          window.submit(next);
          sizes.push(next);
        }
        assert.equal(window.inFlight, sizes.length);
      }
      while (sizes.shift() !== undefined) window.complete();
      assert.equal(window.isOpen, true);
    }),
  );
});

test('answers that keep coming keep a window open that is never empty', () => {
  const window = new RequestWindow(1_000_000, 1000);
  window.submit(100);
  window.complete();
  window.submit(100);
  for (let i = 0; i < 10_000; i++) {
    assert.equal(window.isOpen, true);
    window.submit(100);
    window.complete();
  }
});
