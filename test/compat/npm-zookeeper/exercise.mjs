/**
 * Exercises a server through the npm package `zookeeper`: node exercise.mjs HOST:PORT. Plain JavaScript and a process
 * of its own, because the addon runs on whatever Node it was built for. Prints one line per passed part.
 */
import assert from 'node:assert/strict';
import ZooKeeper from 'zookeeper';

const connect = process.argv[2];

/** The package's promises want a callback-style watcher; this gives the next event as a promise. */
function nextEvent() {
  let arrived;
  const event = new Promise((resolve) => {
    arrived = resolve;
  });
  return { event, watcher: (type, state, path) => arrived({ type, state, path }) };
}

function open() {
  const client = new ZooKeeper({
    connect,
    timeout: 30_000,
    debug_level: ZooKeeper.constants.ZOO_LOG_LEVEL_ERROR,
  });
  return new Promise((resolve) => {
    client.once('connect', () => resolve(client));
    client.init({});
  });
}

function closed(client) {
  return new Promise((resolve) => {
    client.once('close', resolve);
    client.close();
  });
}

const { ZOO_EPHEMERAL, ZOO_SEQUENCE, ZOO_CHANGED_EVENT, ZOO_CHILD_EVENT, ZOO_DELETED_EVENT } =
  ZooKeeper.constants;
const client = await open();

assert.equal(await client.create('/n', 'one', 0), '/n');
await assert.rejects(client.create('/n', 'one', 0), /-110/);
assert.equal(await client.create('/n/s-', 'x', ZOO_SEQUENCE), '/n/s-0000000000');
const [stat, data] = await client.get('/n', false);
assert.equal(String(data), 'one');
assert.equal(stat.version, 0);
assert.equal((await client.set('/n', 'two', 0)).version, 1);
await assert.rejects(client.set('/n', 'three', 0), /-103/);
assert.deepEqual(await client.get_children('/n', false), ['s-0000000000']);
await assert.rejects(client.delete_('/n', -1), /-111/);
const [acls] = await client.get_acl('/n');
assert.equal(acls[0].perms, 31);
await client.sync('/n');
console.log('crud');

const change = nextEvent();
await client.w_get('/n', change.watcher);
await client.set('/n', 'three', -1);
assert.deepEqual(await change.event, { type: ZOO_CHANGED_EVENT, state: 3, path: '/n' });
const child = nextEvent();
await client.w_get_children('/n', child.watcher);
await client.create('/n/e', '', ZOO_EPHEMERAL);
assert.equal((await child.event).type, ZOO_CHILD_EVENT);
console.log('watches');

const other = await open();
const gone = nextEvent();
await other.w_exists('/n/e', gone.watcher);
await closed(client);
assert.deepEqual(await gone.event, { type: ZOO_DELETED_EVENT, state: 3, path: '/n/e' });
console.log('sessions');

const values = await Promise.all(
  Array.from({ length: 500 }, async (_, i) => {
    const path = await other.create(`/n/p${i}`, `value ${i}`, 0);
    return String((await other.get(path, false))[1]);
  }),
);
values.forEach((value, i) => {
  assert.equal(value, `value ${i}`);
});
console.log('pipeline');
await closed(other);
