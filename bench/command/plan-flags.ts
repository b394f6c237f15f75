/**
 * A plan and what the command line changes in it. Flags change the document before it is checked, so that the schema
 * judges their values too; its messages then name the flag instead of the file.
 *
 *     --seconds 5        phases.<each>.measure = 5s            --connections 8   connections = 8
 *     --rate 20000       phases.<each mix>.arrival.rate        --phase read      the other phases are left out
 *     --set KEY=VALUE    any dotted path, last                  --check           check = true
 */
import { parse as parseYaml } from 'yaml';
import type { Argv } from 'yargs';
import { ConfigFailure } from '../../src/base/failure.ts';
import { suggestion } from '../plan/did-you-mean.ts';
import { withValueAt } from '../plan/document-path.ts';
import { isMapping } from '../plan/field.ts';
import type { Origin } from '../plan/issue.ts';
import { describedFurther, PLACEMENTS, type Plan } from '../plan/plan.ts';
import type { PlanSource } from '../plan/plan-text.ts';
import { readPlan } from '../plan/presets.ts';
import { buildPlan } from '../plan/schema.ts';
import { manyTexts, oneText } from '../terminal/flags.ts';

export interface PlanFlags {
  readonly seed?: string;
  readonly seconds?: string;
  readonly warmup?: string;
  readonly connections?: string;
  readonly outstanding?: string;
  readonly workers?: string;
  readonly connectTo?: string;
  readonly rate?: string;
  readonly phase?: readonly string[];
  readonly check?: boolean;
  readonly set: readonly string[];
}

const GROUP = 'Changes to the plan:';

export interface PlanInput {
  readonly plan: Plan;
  /** What the plan was made of, flags included: what a sweep changes. */
  readonly document: unknown;
  /** Flags that changed it, in words. */
  readonly changed: readonly string[];
  /** Makes the plan of such a document. @throws ConfigFailure */
  readonly build: (document: unknown) => Plan;
}

export function withPlanFlags<T>(args: Argv<T>): Argv<T & PlanFlags> {
  const one = { ...oneText, group: GROUP };
  const many = { ...manyTexts, group: GROUP };
  return args
    .option('seed', { ...one, describe: 'of all random choices' })
    .option('seconds', { ...one, describe: 'measured time of each phase, e.g. 5 or 500ms' })
    .option('warmup', { ...one, describe: 'time before it, e.g. 2 or 500ms' })
    .option('connections', { ...one, describe: 'sessions of the load' })
    .option('outstanding', { ...one, describe: 'requests in flight per session' })
    .option('workers', { ...one, describe: 'generator threads' })
    .option('connect-to', { ...one, describe: `which servers of several: ${PLACEMENTS.join(', ')}` })
    .option('rate', { ...one, describe: 'open loop: requests per second, whatever the server does' })
    .option('phase', { ...many, describe: 'only this phase; may be given again' })
    .option('check', {
      type: 'boolean',
      group: GROUP,
      describe: 'check the history: order, lost writes, linearizability, watches',
    })
    .option('set', {
      ...many,
      default: [],
      defaultDescription: 'none',
      describe: 'KEY=VALUE, e.g. phases.read.measure=5s; may be given again',
    }) as Argv<T & PlanFlags>;
}

/** @throws ConfigFailure naming flag or file, key, value and what is allowed. */
export function planFromFlags(nameOrFile: string, flags: PlanFlags): PlanInput {
  const source = readPlan(nameOrFile);
  const document = new ChangedDocument(source);
  const changes = flags.set.map(keyAndValue);
  const isOfSweep = ([path]: readonly [string, string]): boolean => /^sweep(\.|$)/.test(path);
  // First, because a plan without its sweep takes flags that would contradict it.
  for (const [path, value] of changes.filter(isOfSweep)) document.set('--set', path, value);
  document.dropPointReferences();
  if (flags.phase !== undefined) document.keepPhases(flags.phase);
  document.set('--seed', 'seed', flags.seed);
  document.set('--connections', 'connections', flags.connections);
  document.set('--outstanding', 'outstanding', flags.outstanding);
  document.set('--workers', 'workers', flags.workers);
  document.set('--connect-to', 'connectTo', flags.connectTo);
  for (const name of document.phaseNames) {
    document.put('--warmup', `phases.${name}.warmup`, withSeconds(flags.warmup));
    document.put('--seconds', `phases.${name}.measure`, withSeconds(flags.seconds));
    document.setRate(name, flags.rate);
  }
  if (flags.check !== undefined) document.put('--check', 'check', flags.check);
  for (const [path, value] of changes.filter((change) => !isOfSweep(change))) {
    document.set('--set', path, value);
  }
  // What is wrong with it is said in the words of the flags.
  buildPlan(document.value, document.origin);
  return planFromDocument(document.value, flagWords(flags), source.origin);
}

/** Of a document that was checked before. @param changed Flags that made it what it is. */
export function planFromDocument(document: unknown, changed: readonly string[], origin: string): PlanInput {
  const build = (point: unknown): Plan => {
    const plan = buildPlan(point, origin);
    return changed.length === 0 ? plan : describedFurther(plan, `Changed here: ${changed.join(', ')}`);
  };
  return { plan: build(document), document, changed, build };
}

/** Flags that change a plan, of which one was given; null without any. */
export function firstPlanFlag(flags: PlanFlags): string | null {
  return flagWords(flags)[0]?.split(' ')[0] ?? null;
}

/** Flags that were given, as they were given: what the plan says of itself was written without them. */
function flagWords({ set, phase = [], check, ...single }: PlanFlags): string[] {
  const names = ['connections', 'outstanding', 'rate', 'seconds', 'warmup', 'workers', 'seed'] as const;
  return [
    ...phase.map((name) => `--phase ${name}`),
    ...names.flatMap((name) => (single[name] === undefined ? [] : `--${name} ${single[name]}`)),
    ...(single.connectTo === undefined ? [] : [`--connect-to ${single.connectTo}`]),
    ...(check === undefined ? [] : [check ? '--check' : '--no-check']),
    ...set.map((pair) => `--set ${pair}`),
  ];
}

function keyAndValue(pair: string): readonly [key: string, value: string] {
  const equals = pair.indexOf('=');
  if (equals > 0) return [pair.slice(0, equals).trim(), pair.slice(equals + 1)];
  throw new ConfigFailure(`--set ${pair}: allowed: KEY=VALUE, e.g. phases.read.measure=5s`);
}

class ChangedDocument {
  value: unknown;
  private readonly source: PlanSource;
  private readonly flagOf = new Map<string, string>();

  constructor(source: PlanSource) {
    this.source = source;
    this.value = source.document;
  }

  get phaseNames(): string[] {
    return Object.keys(this.phases);
  }

  /** Where a value comes from: the flag that set it or a key above it, else its place in the file. */
  readonly origin: Origin = (path) => {
    for (let length = path.length; length > 0; length--) {
      const flag = this.flagOf.get(path.slice(0, length).join('.'));
      if (flag !== undefined) return flag;
    }
    return typeof this.source.locate === 'string' ? this.source.locate : this.source.locate(path);
  };

  /** The text of a flag, read as YAML reads it: `5` is a number, `5s` a text, `[1, 8]` a list. */
  set(flag: string, path: string, text: string | undefined): void {
    if (text === undefined) return;
    try {
      this.put(flag, path, parseYaml(text));
    } catch (error) {
      if (error instanceof ConfigFailure) throw error;
      const reason = (error as Error).message.replace(/ at line \d.*$/s, '');
      throw new ConfigFailure(`${flag}: ${path}: ${JSON.stringify(text)} is not valid YAML: ${reason}`);
    }
  }

  /** Nothing happens for undefined, a flag that was not given. */
  put(flag: string, path: string, value: unknown): void {
    if (value === undefined) return;
    if (flag !== '--set' && this.isSwept(path)) {
      throw new ConfigFailure(
        `${flag}: the plan sweeps ${path} - allowed: --set sweep.${path}=[...] for other values, --set sweep={} for none`,
      );
    }
    try {
      this.value = withValueAt(this.value, path, value);
    } catch (error) {
      throw new ConfigFailure(`${flag}: ${(error as Error).message}`);
    }
    this.flagOf.set(path, flag);
  }

  /** An open loop at one rate; keeps what the phase says about gaps and late requests. Recipes have no rate. */
  setRate(phase: string, text: string | undefined): void {
    const fields = this.phases[phase];
    if (text === undefined || !isMapping(fields) || fields['recipe'] !== undefined) return;
    const arrival = isMapping(fields['arrival']) ? fields['arrival'] : {};
    const { steps: _, thinkTime: __, ...kept } = arrival;
    this.put('--rate', `phases.${phase}.arrival`, kept);
    this.set('--rate', `phases.${phase}.arrival.rate`, text);
  }

  /** Leaves the others out, with the figures that belong to them. */
  keepPhases(wanted: readonly string[]): void {
    const names = this.phaseNames;
    for (const name of wanted) {
      if (names.includes(name)) continue;
      throw new ConfigFailure(
        `--phase: "${name}"${suggestion(name, names) || ' -'} allowed: ${names.join(', ')}`,
      );
    }
    const kept = Object.entries(this.phases).filter(([name]) => wanted.includes(name));
    this.value = withValueAt(this.value, 'phases', Object.fromEntries(kept));
    this.keepReferences(({ phase }) => typeof phase !== 'string' || wanted.includes(phase));
  }

  /** Without a sweep, figures that belong to its points belong to nothing. */
  dropPointReferences(): void {
    const sweep = isMapping(this.value) ? this.value['sweep'] : null;
    const isSwept = isMapping(sweep) && Object.keys(sweep).length > 0;
    if (!isSwept && this.flagOf.has('sweep')) this.keepReferences(({ at }) => at === undefined);
  }

  private keepReferences(isKept: (reference: Readonly<Record<string, unknown>>) => boolean): void {
    const references = isMapping(this.value) ? this.value['references'] : null;
    if (!Array.isArray(references)) return;
    const kept = references.filter((reference) => !isMapping(reference) || isKept(reference));
    this.value = withValueAt(this.value, 'references', kept);
  }

  private get phases(): Readonly<Record<string, unknown>> {
    const phases = isMapping(this.value) ? this.value['phases'] : null;
    return isMapping(phases) ? phases : {};
  }

  private isSwept(path: string): boolean {
    const sweep = isMapping(this.value) ? this.value['sweep'] : null;
    return isMapping(sweep) && Object.hasOwn(sweep, path);
  }
}

/** `5` is 5 seconds; anything else carries its unit. */
function withSeconds(text: string | undefined): string | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? `${text}s` : text;
}
