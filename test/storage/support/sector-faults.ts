/** One fault of a bad disk somewhere in the first bytes of a file: a zeroed, stale or swapped sector, a flipped bit. */
import type { Prng } from '../../../src/base/prng.ts';
import type { MemoryDisk } from './memory-disk.ts';
import { SECTOR_BYTES } from './memory-inode.ts';

export function damageSomewhere(prng: Prng, disk: MemoryDisk, path: string, end: number): string {
  const sectors = Math.max(1, Math.floor(end / SECTOR_BYTES));
  const sector = prng.below(sectors);
  switch (prng.pick(['zero', 'stale', 'swap', 'flip'] as const)) {
    case 'zero':
      disk.zeroSector(path, sector);
      return `sector ${sector} zeroed`;
    case 'stale':
      disk.staleSector(path, sector);
      return `sector ${sector} stale`;
    case 'swap': {
      const other = prng.below(sectors);
      disk.swapSectors(path, sector, other);
      return `sectors ${sector} and ${other} swapped`;
    }
    default: {
      const at = prng.below(end);
      disk.flipBit(path, at, 1 << prng.below(8));
      return `a bit flipped at ${at}`;
    }
  }
}
