/** What is recorded of the machine and the server, and what is not. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { packageVersion } from '../../../bench/base/package-root.ts';
import { captureEnvironment, parseConf } from '../../../bench/measure/environment.ts';
import type { Target } from '../../../bench/target/target.ts';

const target: Target = {
  name: 'embedded',
  description: '',
  addresses: [{ host: '127.0.0.1', port: 1 }],
  servers: [],
  isOurs: true,
  dataDir: import.meta.dirname,
  failure: null,
  whyNotServing: async () => null,
  javaVersion: '17.0.15',
  settings: { snapCount: '5' },
  stop: async () => {},
};

test('machine, build and server are recorded; neither host name nor path', async () => {
  const environment = await captureEnvironment(target);
  assert.ok(environment.cpuCount >= 1 && environment.memoryBytes > 0);
  assert.match(environment.nodeVersion, /^v\d+\./);
  assert.match(environment.dataFilesystem!, /^\w+$/);
  assert.equal(environment.javaVersion, '17.0.15');
  assert.deepEqual(environment.serverSettings, { snapCount: '5' }, 'the server does not answer');
  const text = JSON.stringify(environment);
  assert.ok(!text.includes(import.meta.dirname));
  assert.ok(hostname().length < 4 || !text.includes(hostname()));
  assert.match(packageVersion(), /^\d+\.\d+\.\d+/);
});

test('of what a server says of its configuration, only what names no place is kept', () => {
  const answer =
    'clientPort=2181\ndataDir=/var/lib/zookeeper/version-2\ndataLogSize=67\ntickTime=3000\nmaxClientCnxns=0\n' +
    'minSessionTimeout=6000\nmaxSessionTimeout=60000\nserverId=0\n';
  assert.deepEqual(parseConf(answer), {
    tickTime: '3000',
    maxClientCnxns: '0',
    minSessionTimeout: '6000',
    maxSessionTimeout: '60000',
  });
});
