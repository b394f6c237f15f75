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

test('the byte bound holds, is never more than twice too strict, and is gone when all is answered', () => {
  const BYTES_MAX = 1000;
  const step = fc.oneof(fc.integer({ min: 0, max: 400 }), fc.constant('answer' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const window = new RequestWindow(1_000_000, BYTES_MAX);
      const sizes: number[] = [];
      const submit = (bytes: number): void => {
        window.submit(bytes);
        sizes.push(bytes);
      };
      submit(10);
      sizes.shift();
      window.complete();
      let beforeMark = 0; // bytes of a closed window that are certainly in flight
      for (const next of steps) {
        const inFlight = sizes.reduce((sum, bytes) => sum + bytes, 0);
        if (next !== 'answer') {
          if (inFlight >= BYTES_MAX) assert.equal(window.isOpen, false, 'more in flight than allowed');
          if (window.isOpen) submit(next);
        } else if (sizes.length > 0) {
          beforeMark = sizes.shift()!;
          window.complete();
        }
      }
      assert.ok(beforeMark <= 400);
      while (sizes.length > 0) {
        sizes.shift();
        window.complete();
      }
      assert.equal(window.inFlight, 0);
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
