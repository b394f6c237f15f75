/** Allocating and freeing blocks in a store that holds many, and the cost of retiring through the epochs. */
import { Prng } from '../../src/base/prng.ts';
import { Arena } from '../../src/shm/arena.ts';
import { createEpochs, EpochReader, EpochWriter } from '../../src/shm/epochs.ts';
import { Segments } from '../../src/shm/segments.ts';
import { type MicroResult, measure, runIfMain } from './harness.ts';

const BYTES_MAX = 2 ** 30;

export function benchArena(iterations: number): MicroResult[] {
  return [
    allocateAndFree(100, iterations),
    allocateAndFree(1100, Math.min(iterations, 400_000)),
    replaceAtRandom(iterations),
    allocateAndFree(100_000, Math.min(iterations, 5_000)),
    retire(iterations, false),
    retire(iterations, true),
  ];
}

/** Fills up with blocks of one size, then frees them all, oldest first. */
function allocateAndFree(bytes: number, iterations: number): MicroResult {
  const arena = new Arena(new Segments(), { bytesMax: BYTES_MAX });
  const offsets = new Int32Array(iterations);
  return measure(`arena allocate + free, ${bytes} B, in order`, iterations, (count) => {
    for (let i = 0; i < count; i++) offsets[i] = arena.allocate(bytes);
    for (let i = 0; i < count; i++) arena.free(offsets[i]!);
  });
}

/** A full store in which random blocks are replaced by blocks of random sizes: the znode store under writes. */
function replaceAtRandom(iterations: number): MicroResult {
  const arena = new Arena(new Segments(), { bytesMax: BYTES_MAX });
  const random = new Prng(1);
  const live = Math.max(1, iterations >> 1);
  const offsets = new Int32Array(live);
  const sizes = Uint16Array.from({ length: 4096 }, () => 100 + random.below(400));
  const victims = Int32Array.from({ length: 65536 }, () => random.below(live));
  for (let i = 0; i < live; i++) offsets[i] = arena.allocate(sizes[i & 4095]!);
  return measure('arena allocate + free, 100-500 B, at random', iterations, (count) => {
    for (let i = 0; i < count; i++) {
      const victim = victims[i & 65535]!;
      const replaced = offsets[victim]!;
      offsets[victim] = arena.allocate(sizes[i & 4095]!);
      arena.free(replaced);
    }
  });
}

function retire(iterations: number, readerInside: boolean): MicroResult {
  const arena = new Arena(new Segments(), { bytesMax: BYTES_MAX });
  const epochs = createEpochs(1);
  const writer = new EpochWriter(epochs, arena);
  const reader = new EpochReader(epochs, 0);
  const name = readerInside ? 'reader inside, reclaim every 64' : 'no reader';
  return measure(`arena allocate + epochs retire, ${name}`, iterations, (count) => {
    for (let i = 0; i < count; i++) {
      if (readerInside && (i & 63) === 0) reader.enter();
      writer.retire(arena.allocate(200));
      if (readerInside && (i & 63) === 63) {
        reader.leave();
        writer.reclaim(64);
      }
    }
    reader.leave();
    writer.reclaim(64);
  });
}

await runIfMain(import.meta.url, benchArena, 1_000_000);
