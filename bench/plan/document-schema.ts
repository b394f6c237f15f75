/** The plan file as a whole. `schema.ts` turns what comes out of here into a `Plan`. */
import type { z } from 'zod';
import { expanded, flag, integer, leaf, list, mapping, named, number, text, word } from './field.ts';
import { arrival, keyChoice, percent, recipe, sizes } from './load-schema.ts';
import { mix } from './mix-schema.ts';
import { LIMITS, PLACEMENTS } from './plan.ts';
import { duration } from './units.ts';

const { phaseMs, ratePerSecond, probePeriodMs } = LIMITS;

const DAY_MS = phaseMs.max;
const PHASES_MAX = 100;
const REFERENCES_MAX = 1_000;
export const SWEEP_POINTS_MAX = 1_000;

const phase = mapping({
  mix: mix.optional().describe('weighted requests'),
  readPercent: percent.optional().describe('short for a mix of `get` and `set` with this percentage of gets'),
  recipe: recipe
    .optional()
    .describe('clients that react to replies and events; every connection is one client'),
  keys: keyChoice
    .optional()
    .describe('which znode a request of the mix touches')
    .meta({ defaultText: '`uniform`' }),
  values: sizes
    .optional()
    .describe('sizes of the values that the mix writes')
    .meta({ defaultText: '`tree.values`' }),
  arrival: arrival
    .optional()
    .describe(
      '`closed`: every connection keeps `outstanding` requests in flight. With `rate` or `steps` (open loop): requests are due at a rate whatever the server does, and latency counts from when they were due',
    )
    .meta({ defaultText: '`closed`' }),
  warmup: duration(0, DAY_MS)
    .prefault('2s')
    .describe('never measured; more is cut where the steady state begins later'),
  measure: duration(phaseMs.min, DAY_MS).prefault('10s').describe('measured time'),
  ramp: duration(0, DAY_MS)
    .prefault(0)
    .describe(
      'connections join (closed loop) or the rate rises (open loop) over this time, inside the warm-up',
    ),
  killLeader: duration(0, DAY_MS)
    .optional()
    .describe(
      'last phase, with a mix: so long after the measured time has begun the server that leads is killed (SIGKILL) and stays down; needs three servers or more that are started here. The phase is judged by its outage: lost requests and unsteady throughput are expected',
    )
    .meta({ defaultText: 'nobody is killed' }),
});
export type PhaseDocument = z.output<typeof phase>;

const tree = mapping({
  root: text('an absolute path of plain names, e.g. /bench', /^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*){1,10}$/)
    .prefault('/bench')
    .describe('parent of everything the run makes; must not exist before, is removed after'),
  znodes: integer(LIMITS.keyCount.min, LIMITS.keyCount.max)
    .prefault(10_000)
    .describe('znodes made before the run: the keys'),
  directories: integer(1, 100_000)
    .prefault(1)
    .describe('the keys are spread over this many directories under the root; 1 = one flat directory'),
  values: sizes.prefault('1KiB').describe('sizes of their values'),
});

const probes = mapping({
  period: duration(probePeriodMs.min, probePeriodMs.max)
    .prefault('20ms')
    .describe('time between two probes of a class'),
  deadline: duration(1, DAY_MS)
    .prefault('200ms')
    .describe('an answer later than this after the probe was due does not count as up'),
});

const scalar = leaf('a number or a text', (value) =>
  typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value)) ? value : undefined,
);
const axisList = list(scalar, 'a list of values, e.g. [1, 8, 64]', SWEEP_POINTS_MAX);
const axisRange = mapping(
  {
    from: number(0, 1e9).describe('first value'),
    to: number(0, 1e9).describe('last value, always part of the sweep'),
    step: number(1e-6, 1e9).optional().describe('added from value to value'),
    factor: number(1.001, 1e9)
      .optional()
      .describe('multiplied from value to value; rounded to whole numbers when `from` is one'),
  },
  'a list of values, or ',
);
export type AxisDocument =
  | { readonly values: readonly (string | number)[] }
  | { readonly range: z.output<typeof axisRange> };

const sweep = named<AxisDocument>(
  {
    key: '<key>',
    allowed: 'a mapping of keys to values, e.g. {connections: [1, 8, 64]}',
    keyAllowed: 'a key of this plan, e.g. connections or phases.read.readPercent',
    keyPattern: /^[A-Za-z][A-Za-z0-9._-]*$/,
    entriesMin: 0,
    entriesMax: 4,
  },
  axisRange.describe('the values that the key takes one after another; with several keys, every combination'),
  (_, value) =>
    Array.isArray(value)
      ? axisList.transform((values) => ({ values }))
      : axisRange.transform((range) => ({ range })),
);

const search = mapping({
  phase: text('the name of a phase', /./)
    .optional()
    .describe('the phase whose rate is searched')
    .meta({ defaultText: 'the only phase' }),
  p99: duration(0.001, DAY_MS).describe('the bound that p99 has to keep'),
  from: number(ratePerSecond.min, ratePerSecond.max)
    .prefault(1_000)
    .describe('lowest rate, requests per second'),
  to: number(ratePerSecond.min, ratePerSecond.max)
    .prefault(1_000_000)
    .describe('highest rate, requests per second'),
  replicates: integer(1, 100).prefault(3).describe('runs at the edge that was found'),
});

const reference = mapping({
  label: text('a text up to 80 characters', /^.{1,80}$/).describe('who, for the legend'),
  source: text('a text up to 300 characters', /^.{1,300}$/).describe(
    'where it was published, and how the setting differs',
  ),
  phase: text('the name of a phase', /./)
    .optional()
    .describe('the phase it belongs to')
    .meta({ defaultText: 'the only phase' }),
  metric: word(['throughput', 'latencyMeanMs', 'p99Ms']).prefault('throughput').describe('what the value is'),
  value: number(0, 1e12).describe('requests per second, or milliseconds'),
  at: number(0, 1e12)
    .optional()
    .describe('for sweeps: the value of the first swept key at which it was measured'),
  servers: integer(1, 1_000)
    .optional()
    .describe('the size of the ensemble; part of its label, and its place where sizes are swept'),
}).describe('one figure');

export const planDocument = mapping({
  name: text('lower-case letters, digits and -, up to 40 in all', /^[a-z0-9][a-z0-9-]{0,39}$/)
    .optional()
    .describe('part of the name of the directory of results')
    .meta({ defaultText: 'name of the file' }),
  description: text('one line of up to 200 characters', /^.{0,200}$/)
    .prefault('')
    .describe('what the plan is for'),
  seed: integer(0, 2 ** 32 - 1)
    .prefault(1)
    .describe('of all random choices: the same seed sends the same requests'),
  connections: integer(LIMITS.connectionCount.min, LIMITS.connectionCount.max)
    .prefault(50)
    .describe('sessions of the load'),
  outstanding: integer(LIMITS.outstanding.min, LIMITS.outstanding.max)
    .prefault(1)
    .describe('requests that a connection has in flight at most'),
  workers: integer(LIMITS.workerCount.min, LIMITS.workerCount.max)
    .prefault(1)
    .describe('threads of the load generator'),
  sessionTimeout: duration(100, 3_600_000).prefault('30s').describe('session timeout that the load asks for'),
  connectTo: word(PLACEMENTS)
    .prefault('spread')
    .describe('which servers of several the load connects to, in turn'),
  slo: duration(0.001, DAY_MS)
    .optional()
    .describe('replies within this time are counted as goodput')
    .meta({ defaultText: 'no goodput' }),
  check: flag()
    .prefault(false)
    .describe('record the history and check it: order, lost writes, linearizability, watches'),
  tree: tree.prefault({}).describe('what is made before the run'),
  probes: probes.prefault({}).describe('availability is probed apart from the load'),
  phases: named<PhaseDocument>(
    {
      key: '<phase>',
      allowed: 'a mapping of phase names to phases',
      keyAllowed: 'a letter, then letters, digits, _ and -, up to 40 in all',
      keyPattern: /^[A-Za-z][A-Za-z0-9_-]{0,39}$/,
      entriesMin: 1,
      entriesMax: PHASES_MAX,
    },
    phase.describe('one load for some time; phases run in the order of the file'),
    () => phase,
  ).describe('what is sent, for how long'),
  sweep: expanded(sweep, (value) => value ?? {})
    .prefault({})
    .describe('runs the plan at several values of its keys'),
  search: search
    .nullable()
    .prefault(null)
    .describe('looks for the highest rate at which p99 keeps a bound; not together with `sweep`'),
  references: list(reference, 'a list of published figures', REFERENCES_MAX)
    .prefault([])
    .describe('figures published by others for the same load: drawn in grey, never part of a verdict'),
});
export type PlanDocument = z.output<typeof planDocument>;
