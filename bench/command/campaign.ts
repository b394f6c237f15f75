/**
 * `ringkeeper bench campaign NAME`: measurements that take longer than a test may and ask one question each. A campaign is
 * `bench/campaigns/NAME/command.ts`, loaded only when it is asked for: this list is all that `--help` needs.
 */
import type { Argv, CommandModule } from 'yargs';

/** What a campaign exports: its flags, and its work, which ends the process with its exit status. */
interface Campaign {
  readonly builder?: unknown;
  readonly handler: (flags: never) => unknown;
}

interface CampaignEntry {
  readonly name: string;
  readonly describe: string;
  readonly load: () => Promise<Campaign>;
}

const CAMPAIGNS: readonly CampaignEntry[] = [
  {
    name: 'large-tree',
    describe: 'a million znodes: memory, time to start, latency under snapshots; beside Apache',
    load: async () => (await import('../campaigns/large-tree/command.ts')).largeTreeCommand,
  },
  {
    name: 'soak',
    describe: 'half an hour of mixed load: steady memory and latency, or not',
    load: async () => (await import('../campaigns/soak/command.ts')).soakCommand,
  },
  {
    name: 'arena',
    describe: 'what the store holds for what lives in it, under sizes that shift',
    load: async () => (await import('../campaigns/soak/arena.ts')).arenaCommand,
  },
  {
    name: 'cores',
    describe: 'which threading mode should be the default on this machine',
    load: async () => (await import('../campaigns/cores/command.ts')).coresCommand,
  },
  {
    name: 'write-path',
    describe: 'where one durable write spends its microseconds',
    load: async () => (await import('../campaigns/write-path/command.ts')).writePathCommand,
  },
  {
    name: 'meter',
    describe: 'the engine itself against arithmetic: pauses, delays and counts that are known',
    load: async () => (await import('../campaigns/meter/command.ts')).meterCommand,
  },
  {
    name: 'client',
    describe: 'the client library beside other clients: CPU, round trip, caches, locks (in a checkout)',
    load: async () => (await import('../campaigns/client/command.ts')).clientCommand,
  },
  {
    name: 'faults [what]',
    describe: 'kill -9 under load, damaged files, idle crowds (in a checkout)',
    load: async () => (await import('../campaigns/faults/command.ts')).faultsCommand,
  },
];

export const campaignCommand: CommandModule<object, object> = {
  command: 'campaign',
  describe: 'Longer measurements, one question each',
  builder: (args: Argv): Argv<object> => {
    for (const campaign of CAMPAIGNS) args.command(moduleOf(campaign));
    return args.demandCommand(
      1,
      'say which: ringkeeper bench campaign NAME, or ringkeeper bench campaign --help',
    );
  },
  handler: () => {},
};

function moduleOf({ name, describe, load }: CampaignEntry): CommandModule<object, object> {
  return {
    command: name,
    describe,
    builder: async (args: Argv): Promise<Argv<object>> =>
      ((await load()).builder as (args: Argv) => Argv<object>)(args),
    handler: async (flags) => {
      await (await load()).handler(flags as never);
    },
  };
}
