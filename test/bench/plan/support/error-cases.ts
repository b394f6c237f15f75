/** Plans with one thing wrong, and the exact line that a person reads about it. */

export const ALL_KEYS =
  'name, description, seed, connections, outstanding, workers, sessionTimeout, connectTo, slo, check, tree, probes, phases, sweep, search, references';
export const OPS = 'get, exists, getChildren, set, create, delete, multi, multiRead, sync, watch';
const TIME = 'a time with its unit (ms, s, m, h)';

/** A whole plan with one thing wrong, and the message behind `p.yaml:line:column: `. */
export const ERROR_CASES: readonly (readonly [yaml: string, place: string, message: string])[] = [
  ['', '', `empty - allowed: a mapping with ${ALL_KEYS}`],
  ['[1, 2]', '', `[1, 2] - allowed: a mapping with ${ALL_KEYS}`],
  [
    top('conections: 5'),
    ':2:1',
    `conections: unknown key - did you mean "connections"? allowed: ${ALL_KEYS}`,
  ],
  [top('zzz: 5'), ':2:1', `zzz: unknown key - allowed: ${ALL_KEYS}`],
  [
    top('name: My Plan'),
    ':2:1',
    'name: "My Plan" - allowed: lower-case letters, digits and -, up to 40 in all',
  ],
  [top('description: [a]'), ':2:1', 'description: ["a"] - allowed: one line of up to 200 characters'],
  [top('seed: -1'), ':2:1', 'seed: -1 - allowed: a whole number from 0 to 4294967295'],
  [top('connections: 0'), ':2:1', 'connections: 0 - allowed: a whole number from 1 to 20000'],
  [top('connections: 1.5'), ':2:1', 'connections: 1.5 - allowed: a whole number from 1 to 20000'],
  [top('connections: "5"'), ':2:1', 'connections: "5" - allowed: a whole number from 1 to 20000'],
  [top('connections: .nan'), ':2:1', 'connections: NaN - allowed: a whole number from 1 to 20000'],
  [top('outstanding: 5000'), ':2:1', 'outstanding: 5000 - allowed: a whole number from 1 to 4096'],
  [top('workers:'), ':2:1', 'workers: empty - allowed: a whole number from 1 to 256'],
  [top('workers: 51'), ':2:1', 'workers: 51 - allowed: at most one per connection (50)'],
  [top('sessionTimeout: 30'), ':2:1', `sessionTimeout: 30 - allowed: ${TIME} from 100ms to 1h, e.g. 10s`],
  [
    top('connectTo: master'),
    ':2:1',
    'connectTo: "master" - allowed: spread, leader, followers, observers, nearest',
  ],
  [top('slo: 10 parsecs'), ':2:1', `slo: "10 parsecs" - allowed: ${TIME} from 0.001ms to 24h, e.g. 10s`],
  [top('check: yes'), ':2:1', 'check: "yes" - allowed: true or false'],
  [top('tree: 5'), ':2:1', 'tree: 5 - allowed: a mapping with root, znodes, directories, values'],
  [
    top('tree: {root: bench}'),
    ':2:8',
    'tree.root: "bench" - allowed: an absolute path of plain names, e.g. /bench',
  ],
  [top('tree: {root: /}'), ':2:8', 'tree.root: "/" - allowed: an absolute path of plain names, e.g. /bench'],
  [
    top('tree: {root: /a/../b}'),
    ':2:8',
    'tree.root: "/a/../b" - allowed: an absolute path of plain names, e.g. /bench',
  ],
  [
    top('tree: {znodes: 5, directories: 6}'),
    ':2:19',
    'tree.directories: 6 - allowed: at most one per znode (5)',
  ],
  [top('tree: {keys: 5}'), ':2:8', 'tree.keys: unknown key - allowed: root, znodes, directories, values'],
  [
    top('tree: {values: 2MB}'),
    ':2:8',
    'tree.values: "2MB" - allowed: a size, {uniform: [0, 162]} or {weighted: {100B: 3, 4KiB: 1}}',
  ],
  [
    top('tree: {values: {uniform: [162, 0]}}'),
    ':2:17',
    'tree.values.uniform: [162, 0] - allowed: two sizes as [from, to], from 0 to 1MB, e.g. [0, 1KiB]',
  ],
  [top('tree: {values: {weighted: {}}}'), ':2:17', 'tree.values.weighted: 0 entries - allowed: 1 to 100'],
  [top('tree: {values: {weighted: {100B: 0}}}'), ':2:17', 'tree.values.weighted: no weight above 0'],
  [
    top('tree: {values: {weighted: {1XB: 1}}}'),
    ':2:28',
    'tree.values.weighted.1XB: not a size - allowed: e.g. 100B, 4KiB',
  ],
  [
    top('tree: {values: {fixed: 1, uniform: [0, 1]}}'),
    ':2:8',
    'tree.values: 2 keys - allowed: exactly one of fixed, uniform, weighted',
  ],
  [
    top('tree: {values: unifrom}'),
    ':2:8',
    'tree.values: "unifrom" - did you mean "uniform"? allowed: a size, {uniform: [0, 162]} or {weighted: {100B: 3, 4KiB: 1}}',
  ],
  [top('check: true\ntree: {values: 4B}'), ':3:8', 'tree.values: 4 bytes - allowed with check: at least 8'],
  [top('probes: {period: 0}'), ':2:10', `probes.period: 0 - allowed: ${TIME} from 1ms to 1m, e.g. 10s`],

  ['connections: 5', '', 'phases: missing - allowed: a mapping of phase names to phases'],
  ['phases: []', ':1:1', 'phases: [] - allowed: a mapping of phase names to phases'],
  ['phases: {}', ':1:1', 'phases: 0 entries - allowed: 1 to 100'],
  [
    'phases: {"1": {mix: {get: 1}}}',
    ':1:10',
    'phases.1: "1" as a name - allowed: a letter, then letters, digits, _ and -, up to 40 in all',
  ],
  ['phases: {a: {}}', ':1:10', 'phases.a: no load - allowed: one of mix, readPercent, recipe'],
  [
    phase('readPercent: 50, recipe: lock'),
    ':1:10',
    'phases.a: readPercent and recipe - allowed: one of mix, readPercent, recipe',
  ],
  [
    phase('mix: {get: 1}, mesure: 5s'),
    ':1:29',
    'phases.a.mesure: unknown key - did you mean "measure"? allowed: mix, readPercent, recipe, keys, values, arrival, warmup, measure, ramp, killLeader',
  ],
  [
    phase('mix: {get: 1}, measure: 10'),
    ':1:29',
    `phases.a.measure: 10 - allowed: ${TIME} from 10ms to 24h, e.g. 10s`,
  ],
  [
    phase('mix: {get: 1}, measure: 0s'),
    ':1:29',
    `phases.a.measure: "0s" - allowed: ${TIME} from 10ms to 24h, e.g. 10s`,
  ],
  [
    phase('mix: {get: 1}, warmup: 25h'),
    ':1:29',
    `phases.a.warmup: "25h" - allowed: ${TIME} from 0 to 24h, e.g. 10s`,
  ],
  [
    phase('mix: {get: 1}, warmup: 1s, ramp: 2s'),
    ':1:41',
    'phases.a.ramp: 2s - allowed: at most the warm-up (1s)',
  ],
  [phase('readPercent: 101'), ':1:14', 'phases.a.readPercent: 101 - allowed: a percentage from 0 to 100'],

  [
    phase('mix: get'),
    ':1:14',
    'phases.a.mix: "get" - allowed: a mapping of operations to weights, e.g. {get: 70, set: 30}',
  ],
  [phase('mix: {}'), ':1:14', 'phases.a.mix: 0 entries - allowed: 1 to 64'],
  [phase('mix: {get: 0}'), ':1:14', 'phases.a.mix: no weight above 0'],
  [phase('mix: {get: -1}'), ':1:20', 'phases.a.mix.get.weight: -1 - allowed: a number from 0 to 1000000'],
  [phase('mix: {get:}'), ':1:20', 'phases.a.mix.get.weight: empty - allowed: a number from 0 to 1000000'],
  [
    phase('mix: {get: {}}'),
    ':1:20',
    'phases.a.mix.get.weight: missing - allowed: a number from 0 to 1000000',
  ],
  [
    phase('mix: {gte: 1}'),
    ':1:20',
    `phases.a.mix.gte: not an operation - did you mean "get"? allowed: ${OPS}, or any label with \`op\``,
  ],
  [phase('mix: {x: {op: gte, weight: 1}}'), ':1:24', `phases.a.mix.x.op: "gte" - allowed: ${OPS}`],
  [
    phase('mix: {a.b: {op: get, weight: 1}}'),
    ':1:20',
    'phases.a.mix.a.b: "a.b" as a name - allowed: a letter, then letters, digits, _ and -, up to 40 in all',
  ],
  [
    phase('mix: {get: {weight: 1, ops: 3}}'),
    ':1:37',
    'phases.a.mix.get.ops: unknown key - did you mean "op"? allowed: weight, op',
  ],
  [
    phase('mix: {create: {weight: 1, mode: permanent}}'),
    ':1:40',
    'phases.a.mix.create.mode: "permanent" - allowed: persistent, ephemeral, persistentSequential, ephemeralSequential, ttl, container',
  ],
  [
    phase('mix: {create: {weight: 1, ttl: 5s}}'),
    ':1:40',
    'phases.a.mix.create.ttl: only with mode: ttl, but mode is persistent',
  ],
  [
    phase('mix: {multi: {weight: 1, of: get}}'),
    ':1:39',
    'phases.a.mix.multi.of: "get" - allowed: set, check, createDelete',
  ],
  [
    phase('mix: {multi: {weight: 1, ops: [7, 3]}}'),
    ':1:39',
    'phases.a.mix.multi.ops: [7, 3] - allowed: a whole number from 1 to 1000, or two of them as [from, to]',
  ],
  [
    phase('mix: {multiRead: {weight: 1, of: set}}'),
    ':1:43',
    'phases.a.mix.multiRead.of: "set" - allowed: get, getChildren',
  ],
  [
    phase('mix: {watch: {weight: 1, on: all}}'),
    ':1:39',
    'phases.a.mix.watch.on: "all" - allowed: data, exists, children',
  ],
  [
    phase('mix: {delete: 1, get: 1}'),
    ':1:20',
    'phases.a.mix.delete: nothing to delete - allowed: together with create, whose znodes it deletes',
  ],
  [
    `check: true\n${phase('mix: {set: 1}, values: 7')}`,
    ':2:29',
    'phases.a.values: 7 bytes - allowed with check: at least 8',
  ],

  [
    phase('mix: {get: 1}, keys: zpif'),
    ':1:29',
    'phases.a.keys: "zpif" - did you mean "zipf"? allowed: uniform, sequential, {zipf: 0.99} or {hotSet: {keys: 1%, requests: 90%}}',
  ],
  [
    phase('mix: {get: 1}, keys: zipf'),
    ':1:29',
    'phases.a.keys.zipf: missing - allowed: a number from 0.01 to 10',
  ],
  [
    phase('mix: {get: 1}, keys: {zipf: 0}'),
    ':1:36',
    'phases.a.keys.zipf: 0 - allowed: a number from 0.01 to 10',
  ],
  [
    phase('mix: {get: 1}, keys: {zipff: 1}'),
    ':1:36',
    'phases.a.keys.zipff: unknown key - did you mean "zipf"? allowed: uniform, sequential, zipf, hotSet',
  ],
  [
    phase('mix: {get: 1}, keys: {hotSet: {keys: 0.1, requests: 90%}}'),
    ':1:45',
    'phases.a.keys.hotSet.keys: 0.1 - allowed: a percentage from 0% to 100%',
  ],
  [
    phase('mix: {get: 1}, keys: {hotSet: {keys: 1%}}'),
    ':1:36',
    'phases.a.keys.hotSet.requests: missing - allowed: a percentage from 0% to 100%',
  ],

  [
    phase('mix: {get: 1}, arrival: open'),
    ':1:29',
    'phases.a.arrival: "open" - allowed: closed, {rate: 20000}, {steps: [...]}, or a mapping with thinkTime, rate, steps, gaps, late',
  ],
  [
    phase('mix: {get: 1}, arrival: {rate: 0}'),
    ':1:39',
    'phases.a.arrival.rate: 0 - allowed: a number from 1 to 50000000',
  ],
  [
    phase('mix: {get: 1}, arrival: {rate: 9, steps: [{rate: 1}]}'),
    ':1:29',
    'phases.a.arrival: both rate and steps - allowed: one of them',
  ],
  [
    phase('mix: {get: 1}, arrival: {steps: []}'),
    ':1:39',
    'phases.a.arrival.steps: no steps - allowed: at least one',
  ],
  [
    phase('mix: {get: 1}, arrival: {steps: 9}'),
    ':1:39',
    'phases.a.arrival.steps: 9 - allowed: a list of steps, e.g. [{rate: 1000, for: 10s}, {rate: 2000}]',
  ],
  [
    phase('mix: {get: 1}, arrival: {steps: [{rate: 1}, {rate: 2}]}'),
    ':1:47',
    'phases.a.arrival.steps.0: for is missing - only the last step may go without',
  ],
  [
    phase('mix: {get: 1}, arrival: {steps: [{rate: 1, for: 5s}]}'),
    ':1:57',
    'phases.a.arrival.steps.0.for: the last step lasts to the end of the phase: leave it out',
  ],
  [
    phase('mix: {get: 1}, arrival: {steps: [{rate: 1, for: 12s}, {rate: 2}]}'),
    ':1:57',
    'phases.a.arrival.steps.0.for: nothing is left for the next step: the phase has 12s',
  ],
  [
    phase('mix: {get: 1}, arrival: {late: drop}'),
    ':1:39',
    'phases.a.arrival.late: only in an open loop, with rate or steps',
  ],
  [
    phase('mix: {get: 1}, arrival: {rate: 1, thinkTime: 1s}'),
    ':1:48',
    'phases.a.arrival.thinkTime: only in a closed loop, without rate and steps',
  ],

  [
    phase('recipe: lok'),
    ':1:14',
    'phases.a.recipe: "lok" - did you mean "lock"? allowed: sessionStorm, watchFanout, lock, doubleBarrier, library or createThenDelete, by name or as {name: {option: value}}',
  ],
  [
    phase('recipe: {lock: {lokcs: 2}}'),
    ':1:30',
    'phases.a.recipe.lock.lokcs: unknown key - did you mean "locks"? allowed: locks, hold',
  ],
  [phase('recipe: lock, arrival: {rate: 5}'), ':1:28', 'phases.a.arrival: only with mix or readPercent'],
  [
    `connections: 1\n${phase('recipe: doubleBarrier')}`,
    ':1:1',
    'connections: 1 - phase a (doubleBarrier) needs at least 2',
  ],
  [
    `connections: 1\n${phase('recipe: watchFanout')}`,
    ':1:1',
    'connections: 1 - phase a (watchFanout) needs at least 2',
  ],

  [
    top('sweep: 5'),
    ':2:1',
    'sweep: 5 - allowed: a mapping of keys to values, e.g. {connections: [1, 8, 64]}',
  ],
  [top('sweep: {connections: []}'), ':2:9', 'sweep.connections: no values - allowed: at least one'],
  [top('sweep: {connections: [1, 1]}'), ':2:9', 'sweep.connections: the same value twice'],
  [
    top('sweep: {connections: [{}]}'),
    ':2:23',
    'sweep.connections.0: a mapping - allowed: a number or a text',
  ],
  [
    top('sweep: {connections: [1, 0]}'),
    ':2:9',
    'sweep.connections: at connections=0: connections: 0 - allowed: a whole number from 1 to 20000',
  ],
  [
    top('sweep: {conections: [1]}'),
    ':2:9',
    `sweep.conections: at conections=1: conections: unknown key - did you mean "connections"? allowed: ${ALL_KEYS}`,
  ],
  [
    top('sweep: {phases.b.readPercent: [1]}'),
    ':2:9',
    'sweep.phases.b.readPercent: at phases.b.readPercent=1: phases.b.readPercent: no phase "b" - did you mean "a"? allowed: a',
  ],
  [
    top('sweep: {connections: [1, 2], workers: [2]}'),
    ':2:1',
    'sweep: at connections=1, workers=2: workers: 2 - allowed: at most one per connection (1)',
  ],
  [
    top('sweep: {connections: {from: 1, to: 5}}'),
    ':2:9',
    'sweep.connections: neither step nor factor - allowed: one of them',
  ],
  [
    top('sweep: {connections: {from: 5, to: 5, step: 1}}'),
    ':2:23',
    'sweep.connections.from: 5 - allowed: less than to (5)',
  ],
  [
    top('sweep: {connections: {from: 0, to: 5, factor: 2}}'),
    ':2:23',
    'sweep.connections.from: 0 - allowed with factor: more than 0',
  ],
  [top('sweep: {seed: {from: 1, to: 90000, step: 1}}'), ':2:1', 'sweep: 1002 points - allowed: at most 1000'],

  [top('search: {}'), ':2:1', `search.p99: missing - allowed: ${TIME} from 0.001ms to 24h, e.g. 10s`],
  [top('search: {p99: 1ms, phase: b}'), ':2:20', 'search.phase: "b" - allowed: a'],
  [top('search: {p99: 1ms, from: 5, to: 5}'), ':2:20', 'search.from: 5 - allowed: less than to (5)'],
  [`${phase('recipe: lock')}\nsearch: {p99: 1ms}`, ':2:1', 'search.phase: "a" - allowed: a phase with a mix'],
  [
    top('search: {p99: 1ms}\nsweep: {seed: [1]}'),
    ':2:1',
    'search: together with sweep - allowed: one of them',
  ],

  [top('references: 5'), ':2:1', 'references: 5 - allowed: a list of published figures'],
  [
    top('references: [{label: a, source: b}]'),
    ':2:14',
    'references.0.value: missing - allowed: a number from 0 to 1000000000000',
  ],
  [
    top('references: [{label: a, source: b, value: 1, phase: x}]'),
    ':2:46',
    'references.0.phase: "x" - allowed: a',
  ],
  [
    top('references: [{label: a, source: b, value: 1, at: 5}]'),
    ':2:46',
    'references.0.at: 5 - only with a sweep',
  ],
  [
    'phases: {a: {mix: {get: 1}}, b: {mix: {get: 1}}}\nreferences: [{label: a, source: b, value: 1}]',
    ':2:14',
    'references.0.phase: missing - allowed: a, b',
  ],
];

function top(lines: string): string {
  return `phases: {a: {mix: {get: 1}}}\n${lines}`;
}

function phase(fields: string): string {
  return `phases: {a: {${fields}}}`;
}
