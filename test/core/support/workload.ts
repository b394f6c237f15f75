/**
 * Seeded random clients for soak and property tests: requests of every kind, valid and not, over a small set of paths
 * so that they meet, and now and then a disconnect, a reconnect, a close, time that passes, a log or a sink without
 * room. The same seed gives the same run.
 */
import type { Prng } from '../../../src/base/prng.ts';
import type { Acl } from '../../../src/wire/acl.ts';
import { OPEN_ACL } from '../../../src/wire/acl.ts';
import { CreateFlags, OpCode } from '../../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../../src/wire/request-values.ts';
import type { Connection, ReplicaHarness } from './replica-harness.ts';
import { addWatch, auth, CLOSE, create, PING, text } from './requests.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const ACLS: readonly (readonly Acl[])[] = [
  ...new Array<readonly Acl[]>(12).fill(OPEN_ACL),
  [
    { perms: 31, scheme: 'world', id: 'anyone' },
    { perms: 1, scheme: 'ip', id: '10.0.0.1' },
  ],
  [{ perms: 31, scheme: 'auth', id: '' }],
  [
    { perms: 1, scheme: 'world', id: 'anyone' },
    { perms: 31, scheme: 'digest', id: 'alice:aYXlLOpEooaV1cRAvUL1fp9Qt7E=' },
  ],
  [],
];
const BAD_PATHS = ['', 'a', '/a/', '/a//b', '/./a', '/zookeeper', '/a/\u0001'];

export class Workload {
  readonly connections: Connection[] = [];
  private readonly harness: ReplicaHarness;
  private readonly prng: Prng;

  constructor(harness: ReplicaHarness, prng: Prng, connections: number) {
    this.harness = harness;
    this.prng = prng;
    for (let i = 0; i < connections; i++)
      this.connections.push(harness.connect({ timeoutMs: 4000 + prng.below(36_000) }));
    for (const name of NAMES) this.connections[0]!.ok(create(`/${name}`));
  }

  /** One step: mostly requests, now and then something that happens to a server. */
  step(): void {
    const { harness, prng } = this;
    const index = prng.below(this.connections.length);
    const connection = this.connections[index]!;
    switch (prng.below(24)) {
      case 0:
        harness.durable(harness.log.txns[prng.below(harness.log.txns.length)]!.zxid);
        return;
      case 1:
      case 2:
        harness.settle();
        return;
      case 3:
        harness.log.room = prng.chance(0.5) ? prng.below(6) : Number.POSITIVE_INFINITY;
        return;
      case 4:
        if (prng.chance(0.5)) connection.wire.room = prng.below(300);
        else if (!connection.wire.released) connection.drained();
        return;
      case 5:
        harness.sinks[0]!.congested = prng.chance(0.3);
        return;
      case 6:
        harness.pass(prng.below(3000));
        return;
      case 7:
        this.replace(index, connection);
        return;
      case 8:
        harness.background();
        return;
      default:
        connection.send(...Array.from({ length: 1 + prng.below(6) }, () => this.request()));
    }
  }

  /** All obstacles go, everything in flight is answered. */
  finish(): void {
    const { harness } = this;
    harness.log.room = Number.POSITIVE_INFINITY;
    for (const sink of harness.sinks) sink.congested = false;
    harness.settle();
    for (const connection of this.connections) if (!connection.wire.released) connection.drained();
    harness.settle();
  }

  request(): Request {
    const { prng } = this;
    const path = this.path();
    const watch = prng.chance(0.3);
    switch (prng.below(22)) {
      case 0:
        return { op: OpCode.multi, subs: Array.from({ length: prng.below(6) }, () => this.sub()) };
      case 1:
        return { op: OpCode.setAcl, path, acl: prng.pick(ACLS), version: this.version() };
      case 2:
        return { op: OpCode.exists, path, watch };
      case 3:
        return { op: OpCode.getData, path, watch };
      case 4:
        return { op: prng.pick([OpCode.getChildren, OpCode.getChildren2]), path, watch };
      case 5:
        return {
          op: prng.pick([OpCode.getAcl, OpCode.sync, OpCode.getAllChildrenNumber, OpCode.getEphemerals]),
          path,
        };
      case 6:
        return addWatch(path, prng.below(3));
      case 7:
        return { op: prng.pick([OpCode.checkWatches, OpCode.removeWatches]), path, mode: prng.below(7) };
      case 8:
        return prng.chance(0.5) ? PING : auth('digest', prng.pick(['alice:secret', 'bob:secret']));
      case 9:
        return prng.chance(0.1) ? CLOSE : { op: OpCode.whoAmI };
      case 10: {
        if (prng.chance(0.5)) return this.sub();
        const lists = { data: [this.path()], exist: [this.path()], child: [this.path()] };
        return { op: OpCode.setWatches, relativeZxid: prng.below(40), ...lists };
      }
      case 11:
        return {
          op: OpCode.multiRead,
          subs: [
            { op: OpCode.getData, path, watch },
            { op: OpCode.getChildren, path: this.path(), watch },
          ],
        };
      default:
        return this.sub();
    }
  }

  private sub(): MultiSubRequest {
    const { prng } = this;
    const path = this.path();
    const acl = prng.pick(ACLS);
    const data = this.data();
    switch (prng.below(12)) {
      case 0:
      case 1:
        return { op: OpCode.delete, path, version: this.version() };
      case 2:
      case 3:
        return { op: OpCode.setData, path, data, version: this.version() };
      case 4:
        return { op: OpCode.createContainer, path, data, acl, flags: CreateFlags.container };
      case 5: {
        const flags = prng.pick([CreateFlags.persistentTtl, CreateFlags.persistentSequentialTtl]);
        return { op: OpCode.createTtl, path, data, acl, flags, ttl: prng.below(20_000) };
      }
      default:
        return { op: prng.pick([OpCode.create, OpCode.create2]), path, data, acl, flags: prng.below(4) };
    }
  }

  private path(): string {
    const { prng } = this;
    if (prng.chance(0.03)) return prng.pick(BAD_PATHS);
    let path = '';
    for (let depth = 1 + Math.floor(3 * prng.fraction() ** 2); depth > 0; depth--)
      path += `/${prng.pick(NAMES)}`;
    return path;
  }

  private data(): Uint8Array | null {
    const { prng } = this;
    if (prng.chance(0.1)) return null;
    return text('x'.repeat(prng.chance(0.05) ? prng.below(70_000) : prng.below(40)));
  }

  private version(): number {
    return this.prng.chance(0.7) ? -1 : this.prng.below(3);
  }

  // The connection goes; the next one is of the same session or of a new one.
  private replace(index: number, old: Connection): void {
    const { harness, prng } = this;
    const { sessionId, password } = old;
    const before = prng.chance(0.5);
    if (before) old.disconnect();
    const next = harness.accept();
    if (prng.chance(0.6)) next.handshake({ sessionId, password });
    else next.handshake({ timeoutMs: 10_000 });
    if (!before) old.disconnect();
    this.connections[index] = next;
    this.replaced.push(old);
  }

  /** Connections that have gone; they must all be released in the end. */
  readonly replaced: Connection[] = [];
}
