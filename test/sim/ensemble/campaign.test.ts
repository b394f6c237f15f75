/** Campaigns of many seeds: by several processes the same as in one, and gone on with where they were stopped. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type CampaignOptions, runCampaign } from './campaign.ts';
import { runEnsemble } from './ensemble-run.ts';
import { EnsembleSummary } from './ensemble-summary.ts';
import { INTACT } from './ensemble-variants.ts';

const home = mkdtempSync(join(tmpdir(), 'campaign-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

const FROM = 7;
const SEEDS = 4;

function options(file: string, chunks: number[]): CampaignOptions {
  const onChunk = ({ seeds }: EnsembleSummary): void => void chunks.push(seeds);
  return { from: FROM, seeds: SEEDS, workers: 2, chunk: 2, variant: INTACT, file, commit: 'abc', onChunk };
}

test('two processes come to what one comes to; what is done is not done again', async () => {
  const alone = new EnsembleSummary();
  for (let seed = FROM; seed < FROM + SEEDS; seed++) alone.add(await runEnsemble(seed));
  const file = join(home, 'two.jsonl');
  const chunks: number[] = [];
  const whole = await runCampaign(options(file, chunks));
  const sums = ({ tally }: EnsembleSummary) => ({ ...tally, cpuMicros: 0 });
  assert.deepEqual(sums(whole), sums(alone));
  assert.deepEqual(chunks, [2, 4]);

  // Stopped within its last line.
  const [head, first] = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, `${head}\n${first}\n`);
  appendFileSync(file, '{"from":9,"cou');
  const rest: number[] = [];
  assert.deepEqual(sums(await runCampaign(options(file, rest))), sums(alone));
  assert.deepEqual(rest, [4]);
  assert.deepEqual(sums(await runCampaign(options(file, rest))), sums(alone));
  assert.deepEqual(rest, [4]);
});

test("another commit's file is refused", async () => {
  const file = join(home, 'other.jsonl');
  writeFileSync(file, '{"commit":"def","variant":"intact"}\n');
  await assert.rejects(runCampaign(options(file, [])), /is of commit def, intact; this is abc, intact/);
});
