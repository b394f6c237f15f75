/**
 * Every kind of write against a store that is full, at random, with and without a snapshot that holds what is replaced:
 * each is refused with -125 or fits, none ends the replica (an exception would), and there is a way out.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { OPEN_ACL } from '../../../src/wire/acl.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import type { MultiSubRequest, Request } from '../../../src/wire/request-values.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';
import {
  CLOSE,
  container,
  create,
  ephemeral,
  getData,
  multi,
  remove,
  sequential,
  setAcl,
  setData,
  ttlNode,
} from '../support/requests.ts';

const MIB = 1024 * 1024;
const STEPS = 1500;
const KINDS = [
  'create', 'sequential', 'ephemeral', 'container', 'ttl', 'child', 'grow', 'shrink', 'equal', 'acl', 'delete',
  'multi', 'close', 'time',
] as const; // biome-ignore format: one list
type Kind = (typeof KINDS)[number];

/** What a random script of valid requests may be answered beside ok. */
const ANSWERS: ReadonlySet<number> = new Set([
  ErrorCode.ok,
  ErrorCode.quotaExceeded,
  ErrorCode.noNode,
  ErrorCode.nodeExists,
  ErrorCode.notEmpty,
  ErrorCode.noChildrenForEphemerals,
]);

class FullStore {
  readonly harness = new ReplicaHarness({
    storeBytesMax: 64 * MIB,
    extendedTypesEnabled: true,
    containerCheckIntervalMs: 1000,
  });
  readonly prng: Prng;
  client: Connection;
  readonly answers = new Map<string, number>();

  constructor(seed: number) {
    this.prng = new Prng(seed);
    this.client = this.harness.connect({ timeoutMs: 40_000 });
    this.fill();
  }

  /** Nodes of every size until the store takes none of them any more. */
  fill(): void {
    for (const bytes of [900_000, 100_000, 10_000]) {
      for (let n = 0; ; n++) {
        const err = this.client.call(create(`/n${bytes}-${n}`, new Uint8Array(bytes))).err;
        if (err === ErrorCode.quotaExceeded) break;
        assert.ok(err === ErrorCode.ok || err === ErrorCode.nodeExists);
      }
    }
  }

  step(kind: Kind): void {
    const { harness } = this;
    if (kind === 'time') {
      harness.pass(1000, 50);
      harness.settle();
      return;
    }
    if (kind === 'close') {
      this.client.send(CLOSE);
      harness.settle();
      harness.pass(200, 50);
      harness.settle();
      if (this.client.wire.closed) this.client = harness.connect({ timeoutMs: 40_000 });
      else this.client.take();
      return;
    }
    const { err, response } = this.client.call(this.request(kind));
    assert.ok(ANSWERS.has(err), `${kind}: ${err}`);
    if (response !== null && 'results' in response) {
      for (const result of response.results) {
        if ('err' in result)
          assert.ok(ANSWERS.has(result.err) || result.err === -2, `${kind}: ${result.err}`);
      }
    }
    const key = `${kind} ${err}`;
    this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
  }

  private request(kind: Kind): Request {
    const path = this.somePath();
    const size = this.prng.below(2) === 0 ? this.prng.below(3000) : this.prng.below(950_000);
    switch (kind) {
      case 'create':
        return create(`/c${this.prng.below(1000)}`, new Uint8Array(size));
      case 'sequential':
        return sequential('/s-');
      case 'ephemeral':
        return ephemeral(`${path}/e${this.prng.below(10)}`);
      case 'container':
        return container(`/k${this.prng.below(1000)}`);
      case 'ttl':
        return ttlNode(`/t${this.prng.below(1000)}`, 1000);
      case 'child':
        return create(`${path}/x${this.prng.below(5)}`);
      case 'grow':
        return setData(path, new Uint8Array(950_000));
      case 'shrink':
        return setData(path, new Uint8Array(8));
      case 'equal':
        return setData(path, new Uint8Array(Number(/\d+/.exec(path)![0])));
      case 'acl':
        return setAcl(path, [...OPEN_ACL, { perms: 1, scheme: 'ip', id: `10.0.0.${this.prng.below(200)}` }]);
      case 'delete':
        return remove(this.prng.below(2) === 0 ? path : `${path}/x${this.prng.below(5)}`);
      default:
        return multi(...Array.from({ length: 1 + this.prng.below(20) }, () => this.subRequest()));
    }
  }

  private subRequest(): MultiSubRequest {
    const path = this.somePath();
    switch (this.prng.below(4)) {
      case 0:
        return create(`${path}/m${this.prng.below(5)}`);
      case 1:
        return remove(`${path}/m${this.prng.below(5)}`);
      case 2:
        return setData(path, new Uint8Array(this.prng.below(900_000)));
      default:
        return create(`/big${this.prng.below(100)}`, new Uint8Array(this.prng.below(900_000)));
    }
  }

  private somePath(): string {
    const bytes = [900_000, 100_000, 10_000][this.prng.below(3)]!;
    return `/n${bytes}-${this.prng.below(bytes === 900_000 ? 55 : 15)}`;
  }
}

suite('every kind of write at a full store', () => {
  for (const withSnapshot of [false, true]) {
    test(withSnapshot ? 'while a snapshot runs' : 'without a snapshot', (t) => {
      const seed = Math.trunc(Math.random() * 2 ** 31);
      t.diagnostic(`seed ${seed}`);
      const store = new FullStore(seed);
      const { harness, prng } = store;
      let isHeld = false;
      for (let n = 0; n < STEPS; n++) {
        if (withSnapshot && prng.below(400) === 0) {
          if (isHeld) harness.turn(() => harness.replica.endSnapshot());
          else harness.turn(() => void harness.replica.beginSnapshot());
          isHeld = !isHeld;
        }
        store.step(KINDS[prng.below(KINDS.length)]!);
        if (n % 500 === 0) store.fill();
      }
      for (const kind of ['create', 'grow'])
        assert.ok(store.answers.has(`${kind} -125`), `no ${kind} was refused`);
      if (isHeld) harness.turn(() => harness.replica.endSnapshot());
      harness.settle();
      // The way out: whatever was held is free again, deletions and reads go on.
      store.fill();
      const client = harness.connect();
      assert.equal(client.call(getData('/')).err, 0);
      for (let n = 0; n < 55; n++) {
        const { err } = client.call(remove(`/n900000-${n}`));
        assert.ok([ErrorCode.ok, ErrorCode.noNode, ErrorCode.notEmpty].includes(err as 0), `${err}`);
      }
      assert.equal(client.call(create('/again', new Uint8Array(900_000))).err, 0);
    });
  }
});

test('a multi that builds more than the store has to spare: its operation finds no room, nothing is malformed', () => {
  const storeBytesMax = 64 * MIB;
  const harness = new ReplicaHarness({ storeBytesMax });
  const client = harness.connect();
  // 5 MB, while half of the 8 MiB kept back may be built at once.
  const { response } = client.call(
    multi(...Array.from({ length: 6 }, (_, n) => create(`/m${n}`, new Uint8Array(900_000)))),
  );
  assert.ok(response !== null && 'results' in response);
  const errors = response.results.map((result) => ('err' in result ? result.err : 0));
  assert.deepEqual(errors, [0, 0, 0, 0, 0, ErrorCode.quotaExceeded]);
  assert.equal(
    client.call(create('/m0', new Uint8Array(900_000))).err,
    ErrorCode.ok,
    'all of it is taken back',
  );
});

test('a tree that leaves no room for a deletion is not served', () => {
  const storeBytesMax = 64 * MIB;
  const full = new FullStore(1);
  const needed = full.harness.parts.tree.arena.reservedBytes;
  assert.ok(needed < storeBytesMax - 4 * MIB);
  const load = ({ replica }: ReplicaHarness['incarnations']): number => {
    const zxid = 1;
    while (replica.parts.tree.arena.hasRoom(600_000, 0)) replica.parts.tree.arena.allocate(500_000);
    return zxid;
  };
  assert.throws(() => new ReplicaHarness({ storeBytesMax }, load), /ringkeeper\.storeBytesMax/);
});
