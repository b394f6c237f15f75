/**
 * Killed under write load, restarted on the same files: short campaigns. The long ones are run by hand with
 * `ringkeeper bench campaign faults kill`.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DiskFault } from './support/disk-fault.ts';
import { KillCampaign, type RoundReport } from './support/kill-campaign.ts';
import { Workspace } from './support/workspace.ts';

const SEED = Date.now() % 2 ** 31;

/** The path of a write and of a snapshot, each cut in the place where most can go wrong. */
const POINTS: readonly DiskFault[] = [
  { call: 'writeSync', path: '/log\\.', nth: 5, effect: 'killBefore' },
  { call: 'writeSync', path: '/log\\.', nth: 9, effect: 'killHalfWay' },
  { call: 'fdatasyncSync', path: '/log\\.', nth: 9, effect: 'killAfter' },
  { call: 'openSync', path: '/log\\.', nth: 2, effect: 'killAfter' },
  { call: 'writeSync', path: 'snapshot\\.', nth: 1, effect: 'killHalfWay' },
  { call: 'renameSync', path: 'snapshot\\.', nth: 1, effect: 'killBefore' },
];

describe('kill -9', () => {
  let workspace: Workspace;

  before(() => {
    workspace = new Workspace();
  });
  after(() => workspace.dispose());

  async function campaign(
    name: string,
    options: { readonly rounds: number; readonly points?: readonly DiskFault[] },
  ) {
    const killings = options.points === undefined ? (['signal', 'start'] as const) : (['point'] as const);
    const dataDir = `${workspace.dataDir}-${name}`;
    return new KillCampaign({ dataDir, seed: SEED, writesMax: 800, killings, ...options }).run();
  }

  function total(reports: readonly RoundReport[], field: 'acknowledged' | 'inFlight' | 'happened'): number {
    return reports.reduce((sum, report) => sum + report[field], 0);
  }

  test('at random moments, 5 times: what was acknowledged is there, the rest is explained', async (t) => {
    const reports = await campaign('signal', { rounds: 5 });
    t.diagnostic(
      `seed ${SEED}: ${total(reports, 'acknowledged')} acknowledged, ` +
        `${total(reports, 'happened')} of ${total(reports, 'inFlight')} in flight had happened`,
    );
    assert.ok(total(reports, 'acknowledged') >= 250);
  });

  test('at chosen calls of the disk, half-written records among them', async (t) => {
    const reports = await campaign('point', { rounds: POINTS.length, points: POINTS });
    t.diagnostic(`seed ${SEED}: ${total(reports, 'acknowledged')} acknowledged`);
    assert.equal(reports.length, POINTS.length);
  });
});
