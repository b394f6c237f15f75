/** `ringkeeper bench availability`: loaded only when it is asked for. */
import type { Argv, CommandModule } from 'yargs';

export const availabilityCommand: CommandModule<object, object> = {
  command: 'availability [targets..]',
  describe:
    'Up time / time while servers of an ensemble are killed, paused and stopped; nothing acknowledged is lost',
  builder: async (args: Argv): Promise<Argv<object>> =>
    (
      (await import('../availability/command.ts')).availabilityCommand.builder as (args: Argv) => Argv<object>
    )(args),
  handler: async (flags) => {
    await (await import('../availability/command.ts')).availabilityCommand.handler(flags as never);
  },
};
