/**
 * Campaigns by hand: node test/compat/differential/main.ts [--seed N] [--seeds N] [--steps N] [--subject apache]
 * Runs seed N and the following ones, each on fresh servers, and stops at the first difference. `--subject apache`
 * compares Apache with itself, which shows what the harness cannot keep deterministic. `--threading` names one of
 * ringkeeper's threading modes, `all` takes them in turn, seed by seed. `--followers` has both servers follow: the oracle another
 * Apache, the subject a leader of the named kind.
 */
import { parseArgs } from 'node:util';
import { ApacheServer } from '../../support/apache.ts';
import { RingkeeperServer } from '../../support/ringkeeper.ts';
import type { TestServer } from '../../support/server.ts';
import { startFollower } from './followers.ts';
import { run, serverOptions } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    steps: { type: 'string', default: '1000' },
    subject: { type: 'string', default: 'ringkeeper' },
    threading: { type: 'string', default: 'auto' },
    followers: { type: 'string' },
    coverage: { type: 'boolean', default: false },
  },
});

const THREADING_MODES = ['shared', 'pipeline', 'dedicated'] as const;

function ringkeeper(seed: number): RingkeeperServer {
  const { config } = serverOptions(seed);
  const mode =
    values.threading === 'all' ? THREADING_MODES[seed % THREADING_MODES.length]! : values.threading;
  // With few cores there would be one io thread, and nothing to order between several.
  const threads = { 'ringkeeper.threadingMode': mode, 'ringkeeper.ioThreads': '2' };
  return new RingkeeperServer({ config: { ...config, ...threads } });
}

interface Started extends AsyncDisposable {
  readonly oracle: TestServer;
  readonly subject: TestServer;
}

async function startAlone(seed: number): Promise<Started> {
  const options = serverOptions(seed);
  const oracle = new ApacheServer(options);
  const subject = values.subject === 'apache' ? new ApacheServer(options) : ringkeeper(seed);
  const dispose = async (): Promise<void> => void (await Promise.all([oracle.dispose(), subject.dispose()]));
  await Promise.all([oracle.start(), subject.start()]);
  return { oracle, subject, [Symbol.asyncDispose]: dispose };
}

async function startFollowers(seed: number): Promise<Started> {
  // A reconfig that succeeds would change the ensemble.
  const options = { config: { ...serverOptions(seed).config, reconfigEnabled: 'false' } };
  const leader = values.followers === 'ringkeeper' ? 'ringkeeper' : 'apache';
  const kind = values.subject === 'apache' ? 'apache' : 'ringkeeper';
  const followers = await Promise.all([
    startFollower('apache', 'apache', options),
    startFollower(kind, leader, options),
  ]);
  return {
    oracle: followers[0].server,
    subject: followers[1].server,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(followers.map((follower) => follower[Symbol.asyncDispose]()));
    },
  };
}

const total = new Map<string, number>();
const seedFirst = Number(values.seed);
for (
  let seed = seedFirst;
  seed < seedFirst + Number(values.seeds) && process.exitCode === undefined;
  seed++
) {
  const started = await (values.followers === undefined ? startAlone(seed) : startFollowers(seed));
  const { oracle, subject } = started;
  try {
    const began = performance.now();
    const result = await run({ seed, stepCount: Number(values.steps), oracle, subject });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`seed ${seed}: ${result.stepCount} steps, ${result.requestCount} requests in ${seconds} s`);
    for (const [key, count] of result.coverage) total.set(key, (total.get(key) ?? 0) + count);
    if (result.divergence !== undefined) {
      console.log(result.divergence);
      if (!oracle.running) console.log(`the oracle has ended:\n${oracle.logTail(40)}`);
      if (!subject.running) console.log(`the subject has ended:\n${subject.logTail(40)}`);
      process.exitCode = 1;
    }
  } finally {
    await started[Symbol.asyncDispose]();
  }
}
if (values.coverage) {
  for (const [key, count] of [...total].sort(([a], [b]) => a.localeCompare(b)))
    console.log(`${key}: ${count}`);
}
