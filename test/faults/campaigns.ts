/** The long forms of these tests, as `ringkeeper bench campaign faults` runs them; its flags and words are there. */
import type { FaultCampaigns } from '../../bench/campaigns/faults/command.ts';
import { damageCampaign } from './support/damage-campaign.ts';
import { failoverReport } from './support/failover-report.ts';
import { idleCampaign } from './support/idle-campaign.ts';
import { killReport } from './support/kill-report.ts';
import { outageReport } from './support/outage-report.ts';
import { startsCampaign } from './support/starts-campaign.ts';
import { writesCampaign } from './support/writes-campaign.ts';

export const faultCampaigns: FaultCampaigns = {
  kill: killReport,
  damage: damageCampaign,
  starts: startsCampaign,
  writes: writesCampaign,
  failover: failoverReport,
  outage: outageReport,
  idle: ({ connections }) => idleCampaign(connections),
};
