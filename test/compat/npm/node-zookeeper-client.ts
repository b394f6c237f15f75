/**
 * What is asked of a server through the npm package `node-zookeeper-client`. The package has no types and wants
 * callbacks, so the part of it in use is declared here.
 */
import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';

type Callback<T extends unknown[]> = (error: { getCode(): number } | null, ...results: T) => void;

interface ClientEvent {
  getType(): number;
  getPath(): string;
}

interface ClientStat {
  readonly version: number;
  readonly numChildren: number;
}

interface ClientTransaction {
  create(path: string, data: Buffer): ClientTransaction;
  setData(path: string, data: Buffer, version: number): ClientTransaction;
  check(path: string, version: number): ClientTransaction;
  remove(path: string, version: number): ClientTransaction;
  commit(callback: Callback<[results: unknown[]]>): void;
}

export interface Client extends EventEmitter {
  connect(): void;
  close(): void;
  create(path: string, data: Buffer | null, mode: number, callback: Callback<[path: string]>): void;
  getData(
    path: string,
    watcher: (event: ClientEvent) => void,
    callback: Callback<[data: Buffer, stat: ClientStat]>,
  ): void;
  setData(path: string, data: Buffer, version: number, callback: Callback<[stat: ClientStat]>): void;
  exists(
    path: string,
    watcher: (event: ClientEvent) => void,
    callback: Callback<[stat: ClientStat | null]>,
  ): void;
  getChildren(
    path: string,
    watcher: (event: ClientEvent) => void,
    callback: Callback<[names: string[], stat: ClientStat]>,
  ): void;
  getACL(path: string, callback: Callback<[acls: unknown[], stat: ClientStat]>): void;
  mkdirp(path: string, callback: Callback<[path: string]>): void;
  remove(path: string, version: number, callback: Callback<[]>): void;
  removeRecursive(path: string, callback: Callback<[]>): void;
  transaction(): ClientTransaction;
}

export interface NodeZookeeperClient {
  createClient(address: string, options: { readonly sessionTimeout: number }): Client;
  readonly CreateMode: Readonly<Record<'PERSISTENT' | 'PERSISTENT_SEQUENTIAL' | 'EPHEMERAL', number>>;
  readonly Event: Readonly<
    Record<'NODE_CREATED' | 'NODE_DATA_CHANGED' | 'NODE_CHILDREN_CHANGED' | 'NODE_DELETED', number>
  >;
  readonly Exception: Readonly<Record<'NODE_EXISTS' | 'NO_NODE' | 'BAD_VERSION' | 'NOT_EMPTY', number>>;
}

/** Turns a callback call into a promise of its results. */
function call<T extends unknown[]>(start: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, ...results) => (error === null || error === undefined ? resolve(results) : reject(error)));
  });
}

function code(wanted: number): (error: unknown) => boolean {
  return (error) => (error as { getCode(): number }).getCode() === wanted;
}

export async function exercise(library: NodeZookeeperClient, client: Client): Promise<void> {
  const { CreateMode, Exception } = library;
  const [path] = await call<[string]>((done) =>
    client.create('/n', Buffer.from('one'), CreateMode.PERSISTENT, done),
  );
  assert.equal(path, '/n');
  await assert.rejects(
    call((done) => client.create('/n', null, CreateMode.PERSISTENT, done)),
    code(Exception.NODE_EXISTS),
  );
  const [sequential] = await call<[string]>((done) =>
    client.create('/n/s-', null, CreateMode.PERSISTENT_SEQUENTIAL, done),
  );
  assert.equal(sequential, '/n/s-0000000000');
  await assert.rejects(
    call((done) => client.setData('/n', Buffer.from('x'), 7, done)),
    code(Exception.BAD_VERSION),
  );
  await assert.rejects(
    call((done) => client.remove('/n', -1, done)),
    code(Exception.NOT_EMPTY),
  );
  await assert.rejects(
    call((done) => client.remove('/nope', -1, done)),
    code(Exception.NO_NODE),
  );
  const [acls] = await call<[unknown[], ClientStat]>((done) => client.getACL('/n', done));
  assert.equal(acls.length, 1);
  await call((done) => client.mkdirp('/n/deep/er', done));
  await call((done) => client.removeRecursive('/n/deep', done));
  await watches(library, client);
  await transactions(library, client);
  await pipeline(library, client);
}

async function watches({ CreateMode, Event }: NodeZookeeperClient, client: Client): Promise<void> {
  const events: string[] = [];
  const heard = (event: ClientEvent): void => void events.push(`${event.getType()} ${event.getPath()}`);
  const [missing] = await call<[ClientStat | null]>((done) => client.exists('/n/w', heard, done));
  assert.equal(missing, null);
  await call((done) => client.create('/n/w', null, CreateMode.EPHEMERAL, done));
  await call((done) => client.getData('/n/w', heard, done));
  await call((done) => client.getChildren('/n', heard, done));
  await call((done) => client.setData('/n/w', Buffer.from('2'), 0, done));
  await call((done) => client.exists('/n/w', heard, done));
  await call((done) => client.remove('/n/w', 1, done));
  assert.deepEqual(events, [
    `${Event.NODE_CREATED} /n/w`,
    `${Event.NODE_DATA_CHANGED} /n/w`,
    `${Event.NODE_DELETED} /n/w`,
    `${Event.NODE_CHILDREN_CHANGED} /n`,
  ]);
}

async function transactions({ Exception }: NodeZookeeperClient, client: Client): Promise<void> {
  const data = Buffer.from('t');
  const [results] = await call<[unknown[]]>((done) =>
    client
      .transaction()
      .create('/n/t', data)
      .setData('/n/t', data, 0)
      .check('/n/t', 1)
      .remove('/n/t', 1)
      .commit(done),
  );
  assert.equal(results.length, 4);
  await assert.rejects(
    call((done) => client.transaction().create('/n/t', data).check('/n', 99).commit(done)),
    code(Exception.BAD_VERSION),
  );
  const [stat] = await call<[ClientStat | null]>((done) => client.exists('/n/t', () => undefined, done));
  assert.equal(stat, null, 'a failed transaction leaves nothing');
}

async function pipeline({ CreateMode }: NodeZookeeperClient, client: Client): Promise<void> {
  const ignore = (): void => undefined;
  const pairs = Array.from({ length: 1000 }, async (_, i) => {
    const created = call<[string]>((done) =>
      client.create(`/n/p${i}`, Buffer.from(`value ${i}`), CreateMode.PERSISTENT, done),
    );
    const read = call<[Buffer, ClientStat]>((done) => client.getData(`/n/p${i}`, ignore, done));
    await created;
    const [data] = await read;
    return data.toString('utf8');
  });
  (await Promise.all(pairs)).forEach((value, i) => {
    assert.equal(value, `value ${i}`);
  });
}
