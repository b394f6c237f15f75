/**
 * kazoo's own test suite against ringkeeper: everything that passes on Apache 3.8.0 passes here. The suite stops and
 * starts the server as it likes. Only the expected tests run; those that fail or skip on Apache are left out.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { expectation, KAZOO_SERVER, NOT_ASKED, readBaseline, SHARDS } from './kazoo/expectation.ts';
import { Outcome, runKazooPatiently, TESTS_DIRECTORY } from './kazoo/suite.ts';

suite('kazoo test suite', { concurrency: true, skip: need('kazoo') || needRingkeeper() }, () => {
  const baseline = readBaseline();

  test('the shards cover every test of the baseline that passes on Apache', () => {
    const covered = SHARDS.flatMap((files) => {
      const { mustPass, notAsked } = expectation(baseline, files);
      return [...mustPass, ...notAsked];
    });
    const passing = Object.keys(baseline).filter((id) => baseline[id] === Outcome.passed);
    assert.deepEqual(covered.sort(), passing.sort());
  });

  SHARDS.forEach((files, index) => {
    suite(`shard ${index + 1}`, () => {
      const server = new RingkeeperServer(KAZOO_SERVER);
      before(() => server.start());
      after(() => server.dispose());

      test(`every test of ${files.length} files passes`, async (context) => {
        const { mustPass, notAsked } = expectation(baseline, files);
        context.diagnostic(`${mustPass.length} tests; not asked: ${notAsked.length}`);
        for (const { prefix, reason } of NOT_ASKED) {
          if (notAsked.some((id) => id.startsWith(prefix)))
            context.diagnostic(`not asked: ${prefix}* (${reason})`);
        }
        const results = await runKazooPatiently(
          server,
          files.map((file) => join(TESTS_DIRECTORY, file)),
          mustPass,
          (id) => context.diagnostic(`asked again, kazoo had got stuck: ${id}`),
        );
        const outcomes = new Map(results.map((result) => [result.id, result]));
        const broken = mustPass.flatMap((id) => {
          const result = outcomes.get(id);
          if (result?.outcome === Outcome.passed) return [];
          return [`${id}: ${result?.outcome ?? 'did not run'}\n${result?.reason ?? ''}`];
        });
        assert.equal(broken.length, 0, `${broken.length} of ${mustPass.length} tests:\n${broken.join('\n')}`);
      });
    });
  });
});
