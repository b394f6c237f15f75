/** Each server writes `/zookeeper/config` by itself: its Stat is that of the configuration, the digest does not know of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeConfigNode } from '../../../src/core/tree/config-node.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import { getData, setData, text } from '../support/requests.ts';
import { checkQuiet, digestOf } from '../support/tree-dump.ts';

const PATH = '/zookeeper/config';
const VERSION = 0x1_0000_0000;

test('its text and version are read as of any znode, and no transaction has written them', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  const { tree } = h.parts;
  const before = digestOf(tree.committed);
  for (const members of [
    'server.1=a:1:2:participant',
    'server.1=b:1:2:participant\nserver.2=c:1:2:observer',
  ]) {
    writeConfigNode(tree, text(members), VERSION, h.wallMs);
    const read = c.ok(getData(PATH));
    assert.equal(read.op, OpCode.getData);
    assert.deepEqual(read.data, text(members));
    const { czxid, mzxid, mtime, version } = read.stat;
    assert.deepEqual([czxid, mzxid, mtime, version], [0, VERSION, h.wallMs, -1]);
  }
  assert.equal(digestOf(tree.committed), before);
  checkQuiet(h.parts);
});

test('a change of it that is proposed already stays the newer one', () => {
  const h = new ReplicaHarness({ skipAcl: true });
  const c = h.connect();
  c.send(setData(PATH, 'proposed'));
  writeConfigNode(h.parts.tree, text('written'), VERSION, h.wallMs);
  h.settle();
  c.take();
  const read = c.ok(getData(PATH));
  assert.deepEqual(read.op === OpCode.getData && read.data, text('proposed'));
  checkQuiet(h.parts);
});
