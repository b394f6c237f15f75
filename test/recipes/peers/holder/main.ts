/**
 * A process of ours that holds things, to be stopped, continued or killed by the test. Lines in: `id verb argument …`; lines
 * out: `id ok|error text`.
 */
import { createInterface } from 'node:readline';
import { connect, op, utf8, type Zk } from '../../../../src/client/index.ts';
import {
  type Claim,
  doubleBarrier,
  election,
  type Lease,
  lock,
  multiLock,
  persistentNode,
  queue,
  readWriteLock,
  semaphore,
} from '../../../../src/recipes/index.ts';

const [address = '', timeoutMs = ''] = process.argv.slice(2);

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

const zk = await connect(address, { sessionTimeoutMs: Number(timeoutMs) });
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
  keep: async (path = '') => persistentNode(zk, path, 'kept').ready(),
  enter: async (path = '') => doubleBarrier(zk, path, { members: 1 }).enter(),
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
