/**
 * The differential test: random requests, valid and not, from several clients, against Apache 3.8.0 and ringkeeper at
 * the same time; every reply, error, Stat, event, and at the end the whole tree have to be equal. Before that the
 * harness proves itself on two Apaches: it finds no difference where there is none, and finds one where there is.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ApacheServer } from '../support/apache.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import type { TestServer } from '../support/server.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { EXPIRY_SERVER, letSessionExpire } from './differential/expiry.ts';
import { type RunResult, run, serverOptions } from './differential/run.ts';

const SEEDS = [1, 2, 3, 4];
const STEP_COUNT = 1000;
const SELF_STEP_COUNT = 250;

async function compare(
  seed: number,
  stepCount: number,
  oracle: TestServer,
  subject: TestServer,
): Promise<RunResult> {
  try {
    await Promise.all([oracle.start(), subject.start()]);
    return await run({ seed, stepCount, oracle, subject });
  } finally {
    await Promise.all([oracle.dispose(), subject.dispose()]);
  }
}

suite('differential', { skip: need('java', 'zookeeper') }, () => {
  suite('the harness', () => {
    test('finds no difference between Apache and Apache', async () => {
      const options = serverOptions(1);
      const result = await compare(1, SELF_STEP_COUNT, new ApacheServer(options), new ApacheServer(options));
      assert.equal(result.divergence ?? '', '');
      assert.equal(result.stepCount, SELF_STEP_COUNT);
    });

    test('tells a server with one option changed from the other', async () => {
      const options = serverOptions(1);
      const changed = { config: { ...options.config, reconfigEnabled: 'false' } };
      const result = await compare(1, SELF_STEP_COUNT, new ApacheServer(options), new ApacheServer(changed));
      assert.match(result.divergence ?? '', /seed 1, step \d+: .*the replies differ.*RECONFIGDISABLED/s);
    });
  });

  suite('ringkeeper against Apache 3.8.0', { skip: needRingkeeper() }, () => {
    for (const seed of SEEDS) {
      test(`seed ${seed}`, async (context) => {
        const options = serverOptions(seed);
        const result = await compare(
          seed,
          STEP_COUNT,
          new ApacheServer(options),
          new RingkeeperServer(options),
        );
        context.diagnostic(`${result.requestCount} requests in ${result.stepCount} steps`);
        assert.equal(result.divergence ?? '', '');
      });
    }

    test('an expired session', async () => {
      const apache = new ApacheServer(EXPIRY_SERVER);
      const ringkeeper = new RingkeeperServer(EXPIRY_SERVER);
      try {
        await Promise.all([apache.start(), ringkeeper.start()]);
        const [wanted, found] = await Promise.all([letSessionExpire(apache), letSessionExpire(ringkeeper)]);
        assert.deepEqual(found, wanted);
      } finally {
        await Promise.all([apache.dispose(), ringkeeper.dispose()]);
      }
    });
  });
});
