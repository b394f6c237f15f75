/** The simulated disk forgets and spoils what its header says: tests of durability rest on it. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { StorageFailure } from '../../src/base/failure.ts';
import { Prng } from '../../src/base/prng.ts';
import { MemoryDisk } from './support/memory-disk.ts';

function fill(value: number, length = 512): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** A durable file with one value per sector. */
function sectors(...values: number[]): MemoryDisk {
  const disk = new MemoryDisk();
  disk.put('/d/x', Buffer.concat(values.map((value) => fill(value))));
  return disk;
}

function valuesOf(disk: MemoryDisk): number[] {
  const bytes = disk.contents('/d/x');
  return Array.from({ length: bytes.length / 512 }, (_, i) => bytes[i * 512]!);
}

/** What the outcomes of many crashes are. */
function outcomes(disk: MemoryDisk, look: (after: MemoryDisk) => unknown): string[] {
  const seen = new Set<string>();
  for (let seed = 0; seed < 64; seed++) seen.add(String(look(disk.crash(new Prng(seed)))));
  return [...seen].sort();
}

suite('a power loss', () => {
  test('forgets a directory that nobody synced, with all that was synced in it', () => {
    const disk = new MemoryDisk();
    disk.putDirectory('/d');
    disk.makeDirectory('/d/a/b');
    const file = disk.create('/d/a/b/x');
    file.write(fill(7), 0, 512, 0);
    file.syncData();
    disk.syncDirectory('/d/a/b');
    disk.syncDirectory('/d/a');
    const look = (after: MemoryDisk) => after.stat('/d/a/b/x')?.bytes;
    assert.deepEqual(outcomes(disk, look), ['512', 'undefined']);
    disk.syncDirectory('/d');
    assert.deepEqual(outcomes(disk, look), ['512']);
  });

  test('forgets entries from the last on; both names of a rename change at once', () => {
    const disk = sectors(1);
    disk.create('/d/y').close();
    disk.rename('/d/x', '/d/z');
    const look = (after: MemoryDisk) => after.list('/d').sort();
    assert.deepEqual(outcomes(disk, look), ['x', 'x,y', 'y,z']);
    disk.syncDirectory('/d');
    assert.deepEqual(outcomes(disk, look), ['y,z']);
  });

  test('keeps any subset of the sectors written since the last sync', () => {
    const disk = sectors(1, 2);
    const file = disk.open('/d/x', 'update');
    file.write(Buffer.concat([fill(3), fill(4)]), 0, 1024, 0);
    assert.deepEqual(outcomes(disk, valuesOf), ['1,2', '1,4', '3,2', '3,4']);
    file.syncData();
    assert.deepEqual(outcomes(disk, valuesOf), ['3,4']);
    file.truncate(512);
    file.write(fill(5), 0, 512, 512);
    assert.deepEqual(outcomes(disk, valuesOf), ['3', '3,4', '3,5']);
  });
});

suite('a bad disk', () => {
  test('zeroed, stale and swapped sectors, and a flipped bit', () => {
    const disk = sectors(1, 2, 3);
    assert.equal(disk.staleSector('/d/x', 1), false, 'it was never different');
    const file = disk.open('/d/x', 'update');
    file.write(fill(9), 0, 512, 512);
    file.syncData();
    assert.equal(disk.staleSector('/d/x', 1), true);
    assert.deepEqual(valuesOf(disk), [1, 2, 3]);
    disk.swapSectors('/d/x', 0, 2);
    assert.deepEqual(valuesOf(disk), [3, 2, 1]);
    disk.zeroSector('/d/x', 0);
    disk.flipBit('/d/x', 1024, 8);
    assert.deepEqual(valuesOf(disk.crash(new Prng(1))), [0, 2, 9], 'it lasts');
  });

  test('calls, syncs and space to be counted down', () => {
    const disk = sectors(1);
    disk.callsLeft = 2;
    const file = disk.open('/d/x', 'update');
    file.write(fill(2), 0, 512, 0);
    file.syncData();
    for (const call of [() => file.syncData(), () => disk.remove('/d/x'), () => disk.makeDirectory('/e')]) {
      assert.throws(call, StorageFailure);
    }
    assert.deepEqual(valuesOf(disk), [2]);
  });
});
