/**
 * kazoo's suite through a follower, by hand: node test/compat/kazoo/main.ts [--leader apache|ringkeeper] [--kind ringkeeper|apache]
 * Prints what does not pass although it passes on a server alone. `--kind apache` shows what kazoo finds in Apache's own follower.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startFollower } from '../differential/followers.ts';
import { expectation, KAZOO_SERVER, readBaseline, SHARDS } from './expectation.ts';
import { type DrivenServer, Outcome, runKazoo, TESTS_DIRECTORY } from './suite.ts';

const { values } = parseArgs({
  options: {
    leader: { type: 'string', default: 'apache' },
    kind: { type: 'string', default: 'ringkeeper' },
  },
});

/** Of the server alone: session timeouts; and no change of the ensemble. */
const CONFIG = {
  ...KAZOO_SERVER.config,
  minSessionTimeout: '4000',
  maxSessionTimeout: '40000',
  reconfigEnabled: 'false',
};

const baseline = readBaseline();
for (const files of SHARDS) {
  await using follower = await startFollower(
    kindOf(values.kind),
    kindOf(values.leader),
    { config: CONFIG },
    2,
  );
  const { server } = follower;
  const driven: DrivenServer = {
    address: server.address,
    start: async () => {
      await server.start();
      await follower.inStep();
    },
    stop: () => server.stop(),
  };
  const { mustPass } = expectation(baseline, files);
  const paths = files.map((file) => join(TESTS_DIRECTORY, file));
  const outcomes = new Map((await runKazoo(driven, paths, mustPass)).map((result) => [result.id, result]));
  const failed = mustPass.filter((id) => outcomes.get(id)?.outcome !== Outcome.passed);
  console.log(`${mustPass.length - failed.length} of ${mustPass.length} pass`);
  for (const id of failed) console.log(`${id}: ${outcomes.get(id)?.reason ?? 'did not run'}`);
}

function kindOf(name: string): 'apache' | 'ringkeeper' {
  if (name !== 'apache' && name !== 'ringkeeper') throw new Error(`${name}: neither apache nor ringkeeper`);
  return name;
}
