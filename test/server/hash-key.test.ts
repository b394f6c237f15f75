/**
 * The key of the keyed hash is drawn for each process: a table whose key is known is one for which colliding paths,
 * watches and addresses can be prepared. Two servers in one process here, because there the keys can be looked at.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeyedHash, PrefixHashes } from '../../src/base/keyed-hash.ts';
import { readServerConfig } from '../../src/server/config/server-config.ts';
import type { Log } from '../../src/server/logging/logging.ts';
import { startServer } from '../../src/server/server.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { RawClient } from '../support/raw-client.ts';
import { create, OPEN_ACL } from '../support/request-bodies.ts';

const nothing = (): void => {};
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Notes the key of every hash that is calculated until `stop`. */
function observeKeys(): { readonly keys: Set<string>; stop(): void } {
  const keys = new Set<string>();
  const { of, ofPair } = KeyedHash.prototype;
  const { wrap } = PrefixHashes.prototype;
  const note = (hash: KeyedHash): void => void keys.add(`${hash.low} ${hash.high}`);
  KeyedHash.prototype.of = function (...bytes) {
    note(this);
    return of.apply(this, bytes);
  };
  KeyedHash.prototype.ofPair = function (...pair) {
    note(this);
    return ofPair.apply(this, pair);
  };
  PrefixHashes.prototype.wrap = function (...bytes) {
    note(this['hash']);
    wrap.apply(this, bytes);
  };
  return {
    keys,
    stop: () => {
      Object.assign(KeyedHash.prototype, { of, ofPair });
      PrefixHashes.prototype.wrap = wrap;
    },
  };
}

/** The keys of a server that a client has used. */
async function keysOfServer(dataDir: string): Promise<Set<string>> {
  const settings = {
    dataDir,
    clientPort: '0',
    clientPortAddress: '127.0.0.1',
    maxClientCnxns: '10',
    'ringkeeper.threadingMode': 'shared',
  };
  const { config } = readServerConfig({
    file: null,
    overrides: Object.entries(settings).map(([key, value]) => ({ flag: '', key, value })),
  });
  const observed = observeKeys();
  try {
    const server = await startServer(config, SILENT);
    const client = await RawClient.open(server.port);
    const node = { path: '/a', data: new Uint8Array(1), acls: OPEN_ACL, flags: 0 };
    assert.equal((await client.request(OpCode.create, create(node))).err, 0);
    client.destroy();
    await server.stop();
  } finally {
    observed.stop();
  }
  return observed.keys;
}

test('two servers have no key in common, neither for what clients name nor for their addresses', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const one = await keysOfServer(join(directory, 'one'));
  const other = await keysOfServer(join(directory, 'other'));
  assert.deepEqual([one.size, other.size], [2, 2], 'one for the tables of the core, one for the addresses');
  assert.deepEqual(
    [...one].filter((key) => other.has(key)),
    [],
  );
});
