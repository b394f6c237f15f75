/** The long forms of these tests, as `ringkeeper bench campaign faults` runs them; its flags and words are there. */
import type { FaultCampaigns } from '../../bench/campaigns/faults/command.ts';
import { damageCampaign } from './support/damage-campaign.ts';
import { idleCampaign } from './support/idle-campaign.ts';
import { killReport } from './support/kill-report.ts';

export const faultCampaigns: FaultCampaigns = {
  kill: killReport,
  damage: damageCampaign,
  idle: ({ connections }) => idleCampaign(connections),
};
