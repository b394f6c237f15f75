import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fifo } from '../../../src/core/collections/fifo.ts';

test('a Fifo is an array of which the front is taken, for any steps', () => {
  const steps = fc.array(fc.constantFrom('push', 'push', 'push', 'shift', 'front', 'remove'), {
    maxLength: 400,
  });
  fc.assert(
    fc.property(steps, (steps) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      for (const [at, step] of steps.entries()) {
        if (step === 'push') {
          fifo.push(at % 50);
          model.push(at % 50);
        } else if (model.length > 0 && step === 'shift') {
          assert.equal(fifo.first, model[0]);
          assert.equal(fifo.shift(), model.shift());
        } else if (model.length > 0 && step === 'front') {
          fifo.newestToFront();
          model.unshift(model.pop()!);
        } else if (step === 'remove') {
          fifo.remove(at % 50);
          model.splice(0, model.length, ...model.filter((item) => item !== at % 50));
        }
        assert.deepEqual([...fifo], model);
        assert.equal(fifo.length, model.length);
      }
    }),
  );
});
