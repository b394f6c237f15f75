/**
 * A process of ours that holds things, to be stopped, continued or killed by the test. Lines in: `id verb argument …`; lines
 * out: `id ok|error text`. With `dieAt`, it kills itself at that write of its connection: before it leaves, or behind it.
 */
import { createInterface } from 'node:readline';
import { connect, op, utf8, type Zk } from '../../../../src/client/index.ts';
import {
  type Connection,
  type ConnectionEvents,
  NodeTransport,
} from '../../../../src/client/node-transport.ts';
import {
  type Claim,
  election,
  type Lease,
  lock,
  multiLock,
  queue,
  readWriteLock,
  semaphore,
} from '../../../../src/recipes/index.ts';

const [address = '', timeoutMs = '', dieAt = '0', when = ''] = process.argv.slice(2);

/** Where the xid of a frame is, behind its length; and that of a ping. */
const XID_AT = 4;
const PING = -2;

/** The k-th write behind the handshake is the last thing this process does. Pings do not count. */
class DyingTransport extends NodeTransport {
  private writes = -1;

  override dial(host: Parameters<NodeTransport['dial']>[0], events: ConnectionEvents): Connection {
    const inner = super.dial(host, events);
    const send = (bytes: Uint8Array): void => {
      const isPing = new DataView(bytes.buffer, bytes.byteOffset).getInt32(XID_AT) === PING;
      const isLast = !isPing && ++this.writes === Number(dieAt) && this.writes > 0;
      if (isLast && when === 'before') process.kill(process.pid, 'SIGKILL');
      inner.send(bytes);
      // The kernel has it then, or the next turn gives it to it.
      if (isLast) setImmediate(() => process.kill(process.pid, 'SIGKILL'));
    };
    return { send, end: () => inner.end(), hangUp: () => inner.hangUp() };
  }
}

type Held = Pick<Lease, 'token' | 'assertHeld' | 'guard' | 'release'>;

const MAKERS: Readonly<Record<string, (zk: Zk, path: string) => Promise<Held>>> = {
  lock: (zk, path) => lock(zk, path).acquire(),
  write: (zk, path) => readWriteLock(zk, path).write.acquire(),
  latch: (zk, path) => election(zk, path).lead(),
  selector: (zk, path) => election(zk, path, { kind: 'selector' }).lead(),
  semaphore: (zk, path) => semaphore(zk, path, { max: 1 }).acquire(),
  multi: async (zk, path) => {
    const all = await multiLock(zk, [path, `${path}-2`]).acquire();
    // A token belongs to one of its paths.
    return Object.assign(all, { token: all.leases[0]!.token });
  },
};

const zk = await connect(address, {
  sessionTimeoutMs: Number(timeoutMs),
  transport: new DyingTransport(null),
});
const held = new Map<string, Held>();
const claims = new Map<string, Claim<string>>();

const VERBS: Readonly<Record<string, (...args: readonly string[]) => Promise<unknown>>> = {
  hold: async (kind = '', path = '') => {
    const lease = await MAKERS[kind]!(zk, path);
    held.set(path, lease);
    return lease.token;
  },
  /** What user code sees first: nothing is awaited before it. */
  look: async (path = '') => {
    const lease = held.get(path)!;
    try {
      lease.assertHeld();
      return 'held';
    } catch (error) {
      return (error as Error).name;
    }
  },
  /** Into the resource, bound to what is held. */
  write: async (path = '', resource = '', text = '') => {
    await held.get(path)!.guard([op.setData(resource, text)]);
  },
  release: async (path = '') => held.get(path)!.release(),
  claim: async (path = '') => {
    const claim = await queue(zk, path, utf8).claim();
    claims.set(path, claim);
    return claim.value;
  },
  done: async (path = '', result = '') => {
    await claims.get(path)!.done([op.create(result)]);
  },
  put: async (path = '', value = '') => queue(zk, path, utf8).put(value),
  close: async () => zk.close(),
};

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

say('0 ok ready');
createInterface({ input: process.stdin }).on('line', (line) => {
  const [id = '', verb = '', ...args] = line.split(' ');
  VERBS[verb]!(...args).then(
    (result) => say(`${id} ok ${result ?? ''}`),
    (error: unknown) => say(`${id} error ${(error as Error).name}`),
  );
});
