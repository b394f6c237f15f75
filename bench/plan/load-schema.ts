/** What a phase sends, as it is written in a plan file and as the plan has it: keys, values, arrival, recipes. */
import { choice, expanded, flag, integer, leaf, list, mapping, named, number, word } from './field.ts';
import { type KeyChoice, LIBRARY_RECIPES, LIMITS, type RecipeLoad, type Sizes } from './plan.ts';
import { parseShare, parseSize } from './quantity.ts';
import { duration, share, size, sizeRange } from './units.ts';

const { phaseMs, ratePerSecond, zipfExponent } = LIMITS;

const WEIGHT_MAX = 1_000_000;
const SIZE_CHOICES_MAX = 100;
const RATE_STEPS_MAX = 1_000;
const OBJECTS_MAX = 100_000;

export const weight = number(0, WEIGHT_MAX).describe('how often, in proportion to the other weights');
const rate = number(ratePerSecond.min, ratePerSecond.max);

export const keyChoice = choice(
  {
    uniform: mapping({}).describe('every key as likely as any other'),
    sequential: mapping({}).describe('one key after another'),
    zipf: number(zipfExponent.min, zipfExponent.max).describe('exponent of the skew; YCSB uses 0.99'),
    hotSet: mapping({
      keys: share().describe('share of the keys that is hot'),
      requests: share().describe('share of the requests that goes to the hot keys'),
    }).describe('some keys get most of the requests'),
  },
  'uniform, sequential, {zipf: 0.99} or {hotSet: {keys: 1%, requests: 90%}}',
).transform((chosen): KeyChoice => {
  if (chosen.form === 'zipf') return { kind: 'zipf', exponent: chosen.options };
  if (chosen.form !== 'hotSet') return { kind: chosen.form };
  return { kind: 'hotSet', keyShare: chosen.options.keys, requestShare: chosen.options.requests };
});

const weightedSizes = named(
  {
    key: '<size>',
    allowed: 'a mapping of sizes to weights, e.g. {100B: 3, 4KiB: 1}',
    keyAllowed: 'a size, e.g. 100B',
    keyPattern: /^\d/,
    entriesMin: 1,
    entriesMax: SIZE_CHOICES_MAX,
  },
  weight,
  (name) => (size().safeParse(name).success ? weight : { refused: 'not a size - allowed: e.g. 100B, 4KiB' }),
);

export const sizes = choice(
  {
    fixed: size().describe('always this size; `1KiB` alone is short for it'),
    uniform: sizeRange().describe('any size between two, both included'),
    weighted: weightedSizes.describe('sizes with their weights'),
  },
  'a size, {uniform: [0, 162]} or {weighted: {100B: 3, 4KiB: 1}}',
  'fixed',
).transform((chosen, context): Sizes => {
  if (chosen.form === 'fixed') return { kind: 'fixed', bytes: chosen.options };
  if (chosen.form === 'uniform') return chosen.options;
  const choices = chosen.options.filter(([, weight]) => weight > 0);
  if (choices.length === 0) {
    context.addIssue({ code: 'custom', path: ['weighted'], message: 'no weight above 0' });
  }
  return {
    kind: 'weighted',
    choices: choices.map(([name, weight]) => ({ bytes: parseSize(name)!, weight })),
  };
});

/** 0 to 100, as a number so that it can be an axis of a sweep. */
export const percent = leaf('a percentage from 0 to 100', (value) => {
  const read = typeof value === 'number' ? value / 100 : (parseShare(value) ?? -1);
  return read >= 0 && read <= 1 ? read * 100 : undefined;
});

const arrivalMapping = mapping(
  {
    thinkTime: duration(0, phaseMs.max)
      .optional()
      .describe('closed loop: wait between a reply and the request that takes its place')
      .meta({ defaultText: '`0`' }),
    rate: rate.optional().describe('open loop: requests per second over all connections'),
    steps: list(
      mapping({
        rate: rate.describe('requests per second over all connections'),
        for: duration(phaseMs.min, phaseMs.max)
          .optional()
          .describe('length of the step; the first starts with the warm-up, the last lasts to the end'),
      }).describe('one rate for some time'),
      'a list of steps, e.g. [{rate: 1000, for: 10s}, {rate: 2000}]',
      RATE_STEPS_MAX,
    )
      .optional()
      .describe('open loop: rates one after another'),
    gaps: word(['constant', 'poisson'])
      .optional()
      .describe('open loop: time between requests, always the same or exponentially distributed')
      .meta({ defaultText: '`constant`' }),
    late: word(['backlog', 'drop'])
      .optional()
      .describe('open loop: what becomes of a request that is due while the window is full')
      .meta({ defaultText: '`backlog`' }),
  },
  'closed, {rate: 20000}, {steps: [...]}, or ',
);
/** What it means depends on the length of the phase: see `arrival.ts`. */
export const arrival = expanded(arrivalMapping, (value) => (value === 'closed' ? {} : value));

export const recipe = choice(
  {
    sessionStorm: mapping({
      abrupt: flag().prefault(false).describe('drop the connection instead of closing the session'),
    }).describe('opens a session, sends one read, closes it, again'),
    watchFanout: mapping({
      znodes: integer(1, OBJECTS_MAX).prefault(1).describe('znodes that are written and watched'),
      writes: rate.prefault(100).describe('writes per second over all znodes'),
    }).describe('one connection writes, all others watch'),
    lock: mapping({
      locks: integer(1, OBJECTS_MAX).prefault(1).describe('locks that the connections compete for'),
      hold: duration(0, phaseMs.max).prefault(0).describe('how long a lock is held'),
    }).describe('ephemeral sequential znodes; waits by watching the predecessor'),
    doubleBarrier: mapping({
      barriers: integer(1, OBJECTS_MAX)
        .prefault(200)
        .describe('barriers that every connection enters, then leaves'),
    }).describe('all wait for each other (ATC 2010, table 3); ends when done, `measure` is its time limit'),
    library: mapping({
      recipe: word(LIBRARY_RECIPES).prefault('lock').describe('which recipe'),
      objects: integer(1, OBJECTS_MAX).prefault(1).describe('locks, queues ... that the connections share'),
      hold: duration(0, phaseMs.max).prefault(0).describe('how long a lock or a leadership is held'),
    }).describe('a recipe of `ringkeeper/recipes`, as users run it, with the typed client'),
    createThenDelete: mapping({
      values: sizes.prefault('1KiB').describe('sizes of the values'),
    }).describe('create, wait, delete without waiting, again (ATC 2010, table 2)'),
  },
  'sessionStorm, watchFanout, lock, doubleBarrier, library or createThenDelete, by name or as {name: {option: value}}',
).transform((chosen): RecipeLoad => {
  switch (chosen.form) {
    case 'sessionStorm':
      return { kind: 'sessionStorm', abrupt: chosen.options.abrupt };
    case 'watchFanout':
      return {
        kind: 'watchFanout',
        znodes: chosen.options.znodes,
        writesPerSecond: chosen.options.writes,
      };
    case 'lock':
      return { kind: 'lock', locks: chosen.options.locks, holdMs: chosen.options.hold };
    case 'doubleBarrier':
      return { kind: 'doubleBarrier', barriers: chosen.options.barriers };
    case 'library': {
      const { recipe: name, objects, hold } = chosen.options;
      return { kind: 'library', recipe: name, objects, holdMs: hold };
    }
    case 'createThenDelete':
      return { kind: 'createThenDelete', values: chosen.options.values };
  }
});
