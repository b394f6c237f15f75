/**
 * A replica whose store is made sparse and compacted: one client, a model of what its znodes must hold, and ticks and
 * rounds of the compactor as the test wants them.
 */
import assert from 'node:assert/strict';
import type { ZnodeCursor } from '../../../src/core/tree/record.ts';
import { isSparse, LEVEL, LEVEL_SPARE_BYTES } from '../../../src/shm/compactor.ts';
import type { MultiSubRequest } from '../../../src/wire/request-values.ts';
import { pathHash } from './hash.ts';
import { type Connection, ReplicaHarness } from './replica-harness.ts';
import { create, multi, remove, setData } from './requests.ts';
import { checkQuiet, digestOf, dumpTree, textOf } from './tree-dump.ts';

const MIB = 1024 * 1024;
const TICK_MS = 50;
const REST_MS = 5_000;
const PER_MULTI = 50;

export interface Content {
  readonly length: number;
  readonly fill: number;
}

export class StoreScene {
  readonly h: ReplicaHarness;
  readonly c: Connection;
  readonly model = new Map<string, Content>();
  private fill = 0;

  constructor(storeBytesMax = 1024 * MIB) {
    this.h = new ReplicaHarness({ storeBytesMax });
    this.c = this.h.connect();
  }

  get tree() {
    return this.h.parts.tree;
  }

  create(path: string, length: number): MultiSubRequest {
    const fill = this.nextFill();
    this.model.set(path, { length, fill });
    return create(path, new Uint8Array(length).fill(fill));
  }

  change(path: string, length: number): MultiSubRequest {
    const fill = this.nextFill();
    this.model.set(path, { length, fill });
    return setData(path, new Uint8Array(length).fill(fill));
  }

  remove(path: string): MultiSubRequest {
    this.model.delete(path);
    return remove(path);
  }

  /** Sent, and not durable yet. */
  propose(requests: readonly MultiSubRequest[]): void {
    for (let i = 0; i < requests.length; i += PER_MULTI) {
      this.c.send(multi(...requests.slice(i, i + PER_MULTI)));
    }
    // The turn before may have spent its time on commits.
    while (this.h.background());
  }

  commit(requests: readonly MultiSubRequest[] = []): void {
    this.propose(requests);
    this.h.settle();
    for (const { err } of this.c.replies()) assert.equal(err, 0);
  }

  /** `count` znodes of `length` bytes below `parent`, of which every `nth` is kept. */
  thin(parent: string, count: number, length: number, nth: number): void {
    const paths = Array.from({ length: count }, (_, i) => `${parent}/n${i}`);
    this.commit(paths.map((path) => this.create(path, length)));
    this.commit(paths.filter((_, i) => i % nth !== 0).map((path) => this.remove(path)));
  }

  tick(): void {
    this.h.pass(TICK_MS, TICK_MS);
  }

  /** As long as a round that was of little use is followed by none. */
  rest(): void {
    this.h.pass(REST_MS, REST_MS);
  }

  /** Ticks until a round has ended, and past the rest that may follow. */
  round(): void {
    const { rounds } = this.tree.compactor;
    for (let i = 0; this.tree.compactor.rounds === rounds; i++) {
      assert.ok(i < 1000, 'the round does not end');
      this.tick();
    }
    this.rest();
  }

  /** Nothing is in the way: rounds until pages are worth their blocks. */
  compact(): void {
    const state = this.summary();
    for (let rounds = 0; isSparse(this.tree.arena); rounds++) {
      assert.ok(rounds < 20, `${this.tree.arena.reservedBytes} for ${this.tree.arena.usedBytes}`);
      this.round();
    }
    assert.deepEqual(this.summary(), state, 'compaction changes nothing that counts');
    const { reservedBytes, usedBytes } = this.tree.arena;
    assert.ok(reservedBytes <= LEVEL * usedBytes + LEVEL_SPARE_BYTES);
  }

  summary(): unknown {
    const { tree } = this;
    return [digestOf(tree.committed), digestOf(tree.staging.digest), tree.nodeCount, tree.dataBytes];
  }

  check(): void {
    const { tree } = this;
    const cursor = tree.cursor();
    for (const [path, { length, fill }] of this.model) {
      const id = this.idOf(path);
      assert.notEqual(id, 0, path);
      cursor.moveTo(tree.committedOf(id));
      assert.equal(textOf(cursor), path);
      assert.equal(cursor.dataBytes, length, path);
      assert.ok(
        dataOf(cursor).every((byte) => byte === fill),
        path,
      );
    }
    const own = [...dumpTree(this.h.parts).keys()].filter((path) => !/^(\/zookeeper.*)?$/.test(path));
    assert.deepEqual(own, [...this.model.keys()].sort());
    checkQuiet(this.h.parts);
  }

  idOf(path: string): number {
    const bytes = new TextEncoder().encode(path);
    return this.tree.find(bytes, 0, bytes.length, pathHash(bytes, 0, bytes.length));
  }

  recordOf(path: string): number {
    return this.tree.committedOf(this.idOf(path));
  }

  private nextFill(): number {
    this.fill = (this.fill % 255) + 1;
    return this.fill;
  }
}

export function dataOf({ bytes, dataStart, dataBytes }: ZnodeCursor): Uint8Array {
  return bytes.subarray(dataStart, dataStart + dataBytes);
}
