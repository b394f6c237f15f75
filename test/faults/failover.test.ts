/**
 * Three servers under write load whose leader is killed or stands still, and a follower: short campaigns. The long ones are run by hand with
 * `ringkeeper bench campaign faults failover`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FailoverCampaign } from './support/failover-campaign.ts';
import { OutageCampaign } from './support/outage-campaign.ts';

const SEED = Date.now() % 2 ** 31;

test(`an ensemble shows everything acknowledged, and a prefix of what was in flight (seed ${SEED})`, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-faults-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const rounds = await new FailoverCampaign({
    ...{ directory, seed: SEED, rounds: 3, servers: 3, writesMax: 400, ephemerals: 1000 },
    disturbances: ['kill leader', 'stop leader', 'kill follower'],
  }).run();
  assert.equal(rounds.length, 3);
  for (const { acknowledged } of rounds) assert.ok(acknowledged > 0, 'there was a load');
});

test('a client of a survivor writes on, and the servers say what the time between went to', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-faults-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [report] = await new OutageCampaign({
    ...{ directory, seed: SEED, rounds: 1, servers: 3, tickMs: 2000 },
  }).run();
  console.log(report);
  const { 'client back': _, ...steps } = report!.stepsMs;
  for (const [step, atMs] of Object.entries(steps)) assert.ok(atMs !== null, `${step} is not seen`);
  assert.ok(steps.noticed! <= steps.elected! && steps.elected! <= steps.promised!);
  assert.ok(steps.promised! <= steps.leading! && steps.leading! <= steps.written! + 1);
});
