/** `ringkeeper bench list`: the presets, or one of them. */
import type { Argv, CommandModule } from 'yargs';
import { jsonText } from '../figures/json-text.ts';
import { type Plan, plannedMs } from '../plan/plan.ts';
import { loadPlan, presetNames, presetText } from '../plan/presets.ts';
import { sweepPoints } from '../plan/sweep.ts';
import { endsByWork } from '../recipe/recipes.ts';

interface ListFlags {
  readonly plan?: string;
  readonly json: boolean;
}

export const listCommand: CommandModule<object, ListFlags> = {
  command: 'list [plan]',
  describe: 'List the plans that come along, or print one',
  builder: (args: Argv): Argv<ListFlags> =>
    args
      .positional('plan', { type: 'string', describe: 'print this one as YAML, to copy and change' })
      .option('json', { type: 'boolean', default: false, describe: 'for machines' }),
  handler: ({ plan, json }) => {
    process.stdout.write(plan === undefined ? listText(json) : planText(plan, json));
  },
};

function listText(json: boolean): string {
  const plans = presetNames().map((name) => loadPlan(name).plan);
  if (json) return jsonText(plans.map(summary));
  const nameWidth = Math.max(...plans.map(({ name }) => name.length));
  return plans
    .map((plan) => {
      const { description, phases, seconds } = summary(plan);
      const length = `${plan.phases.some(({ load }) => load.kind !== 'mix' && endsByWork(load)) ? '<' : ''}${seconds} s`;
      const parts = [length.padStart(6), phases.join(', '), ...sweepText(plan)];
      return `${plan.name.padEnd(nameWidth)}  ${parts.join('  ')}\n${' '.repeat(nameWidth + 2)}${description}\n`;
    })
    .join('');
}

function planText(name: string, json: boolean): string {
  return json ? jsonText(loadPlan(name).plan) : presetText(name);
}

interface PlanSummary {
  readonly name: string;
  readonly description: string;
  readonly phases: readonly string[];
  /** Planned time of all runs, without set-up; a limit where a phase ends when its work is done. */
  readonly seconds: number;
  readonly sweep: Plan['sweep'];
}

function summary(plan: Plan): PlanSummary {
  const { name, description, phases, sweep } = plan;
  const points = [...sweepPoints(sweep)].length;
  return {
    name,
    description,
    phases: phases.map((phase) => phase.name),
    seconds: Math.round((points * plannedMs(plan)) / 1000),
    sweep,
  };
}

function sweepText({ sweep }: Plan): string[] {
  return sweep.map(({ path, values }) => `${path} ${values.join(', ')}`);
}
