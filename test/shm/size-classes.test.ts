import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLASS_COUNT,
  CLASS_GRAINS,
  CLASS_OF_GRAINS,
  CLASS_SLOTS,
  PAGE_GRAINS,
  SLOT_BYTES_MAX,
} from '../../src/shm/size-classes.ts';

test('every size has the smallest class that holds it', () => {
  assert.equal(CLASS_OF_GRAINS.length, SLOT_BYTES_MAX / 16 + 1);
  for (let grains = 1; grains < CLASS_OF_GRAINS.length; grains++) {
    const sizeClass = CLASS_OF_GRAINS[grains]!;
    assert.ok(CLASS_GRAINS[sizeClass]! >= grains);
    if (sizeClass > 0) assert.ok(CLASS_GRAINS[sizeClass - 1]! < grains);
  }
});

test('classes ascend, and a page holds at least two slots of each', () => {
  assert.equal(CLASS_COUNT, 32 + 24 + 14);
  for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
    if (sizeClass > 0) assert.ok(CLASS_GRAINS[sizeClass]! > CLASS_GRAINS[sizeClass - 1]!);
    assert.ok(CLASS_SLOTS[sizeClass]! >= 2);
    assert.ok(CLASS_SLOTS[sizeClass]! * CLASS_GRAINS[sizeClass]! <= PAGE_GRAINS);
  }
});

test('slots fill at least 15/16 of a page, and rounding up costs at most 1/8 up to 4 KiB', () => {
  for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
    assert.ok(
      CLASS_SLOTS[sizeClass]! * CLASS_GRAINS[sizeClass]! >= (PAGE_GRAINS * 15) / 16,
      `class ${sizeClass}`,
    );
  }
  for (let grains = 33; grains <= 256; grains++) {
    assert.ok(CLASS_GRAINS[CLASS_OF_GRAINS[grains]!]! - grains < CLASS_GRAINS[CLASS_OF_GRAINS[grains]!]! / 8);
  }
});
