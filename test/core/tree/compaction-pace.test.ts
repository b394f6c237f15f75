/**
 * Compaction below, at and above its pace, driven as in test/core/replica/pace.test.ts: garbage comes tick by tick, one
 * slice of work is done per tick. A slice moves a megabyte at the most; of the znodes here a third stays for a while, so
 * that one moved megabyte takes two of garbage away.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSparse, LEVEL, LEVEL_SPARE_BYTES } from '../../../src/shm/compactor.ts';
import { StoreScene } from '../support/store-scene.ts';

const MIB = 1024 * 1024;
/** Sizes shift, or the next ones would fill the holes of those before. */
const SIZES = [300, 5000, 1200, 9000, 2500];
const PHASE_TICKS = 10;
const PHASES = 7;
/** A slice: 2,048 blocks, or a megabyte, and what the last block is over it. */
const BLOCKS_PER_TICK = 2048;
const BYTES_PER_TICK = MIB + 64 * 1024;

class Garbage {
  readonly scene = new StoreScene();
  mostBlocks = 0;
  mostBytes = 0;
  /** The most that pages were worth above the level. */
  mostExcessBytes = 0;
  private readonly phases: string[][] = [];

  /** Each phase writes, takes two thirds of the phase before away, and what is left of the one before that. */
  run(bytesPerTick: number): void {
    for (let phase = 0; phase < PHASES; phase++) {
      const size = SIZES[phase % SIZES.length]!;
      const parent = `/p${phase}`;
      this.scene.commit([this.scene.create(parent, 10)]);
      const names: string[] = [];
      const before = this.phases.at(-1) ?? [];
      const old = this.phases.at(-2) ?? [];
      const leaving = [...before.filter((_, i) => i % 3 !== 0), ...old.filter((_, i) => i % 3 === 0)];
      for (let tick = 0; tick < PHASE_TICKS; tick++) {
        const count = Math.ceil(bytesPerTick / size);
        const fresh = Array.from({ length: count }, (_, i) => `${parent}/${tick}-${i}`);
        names.push(...fresh);
        const [from, to] = [tick, tick + 1].map((n) => Math.floor((leaving.length * n) / PHASE_TICKS));
        this.scene.commit([
          ...leaving.slice(from, to).map((path) => this.scene.remove(path)),
          ...fresh.map((path) => this.scene.create(path, size)),
        ]);
        this.tick();
      }
      this.phases.push(names);
    }
  }

  /** All but every twentieth of what is there. */
  leave(): void {
    const all = this.phases.flat().filter((path) => this.scene.model.has(path));
    this.scene.commit(all.filter((_, i) => i % 20 !== 0).map((path) => this.scene.remove(path)));
  }

  tick(): void {
    const { compactor } = this.scene.tree;
    const { movedBlocks, movedBytes } = compactor;
    this.scene.tick();
    this.mostBlocks = Math.max(this.mostBlocks, compactor.movedBlocks - movedBlocks);
    this.mostBytes = Math.max(this.mostBytes, compactor.movedBytes - movedBytes);
    this.mostExcessBytes = Math.max(this.mostExcessBytes, this.excessBytes);
  }

  /** What pages are worth above what the level allows. */
  get excessBytes(): number {
    const { reservedBytes, usedBytes } = this.scene.tree.arena;
    return Math.max(0, reservedBytes - LEVEL * usedBytes - LEVEL_SPARE_BYTES);
  }
}

suite('compaction, a slice per tick', () => {
  for (const [what, bytesPerTick] of [
    ['below its pace', MIB],
    ['at its pace', 2 * MIB],
    ['above its pace', 4 * MIB],
  ] as const) {
    test(`garbage ${what}: no tick does more than a slice, and afterwards pages are worth what lives`, () => {
      const garbage = new Garbage();
      const { scene } = garbage;
      garbage.run(bytesPerTick);
      const phaseBytes = PHASE_TICKS * bytesPerTick;
      assert.ok(garbage.mostExcessBytes < phaseBytes, `${garbage.mostExcessBytes} bytes piled up`);
      garbage.leave();
      assert.ok(isSparse(scene.tree.arena), 'there is something to do');
      let ticks = 0;
      while (isSparse(scene.tree.arena)) {
        assert.ok(ticks++ < 40, `${garbage.excessBytes} bytes too many after 2 s`);
        garbage.tick();
      }
      assert.ok(garbage.mostBlocks <= BLOCKS_PER_TICK, `${garbage.mostBlocks} blocks in a tick`);
      assert.ok(garbage.mostBytes <= BYTES_PER_TICK, `${garbage.mostBytes} bytes in a tick`);
      scene.check();
    });
  }
});
