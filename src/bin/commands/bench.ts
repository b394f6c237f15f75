/**
 * `ringkeeper bench`: the door to the benchmark engine, which is loaded only behind it, so that a server starts without.
 * It and `ensemble-run.ts` are the two places in `src` that know of `bench/`.
 */
import type { Argv, CommandModule } from 'yargs';

export const benchCommand: CommandModule<object, object> = {
  command: 'bench',
  describe: 'Measure any ZooKeeper service: throughput, latency, availability',
  builder: async (args: Argv): Promise<Argv<object>> => {
    const engine = (await import('../../../bench/command/bench.ts')).benchCommand;
    return (engine.builder as (args: Argv) => Argv<object>)(args);
  },
  handler: () => {},
};
