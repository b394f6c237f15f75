/**
 * Apache's own shell, zkCli.sh, against ringkeeper: the output of a long script equals the transcript recorded on
 * Apache 3.8.0 line for line, zxids included. `record.ts` writes the transcript.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { TRANSCRIPT_FILE, ZKCLI_SERVER, zkCliTranscript } from './zkcli/transcript.ts';

test('zkCli.sh shows the same as on Apache', {
  skip: need('java', 'zookeeper') || needRingkeeper(),
}, async (context) => {
  const server = new RingkeeperServer(ZKCLI_SERVER);
  context.after(() => server.dispose());
  await server.start();
  assert.equal(await zkCliTranscript(server), readFileSync(TRANSCRIPT_FILE, 'utf8'));
});
