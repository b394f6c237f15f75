/**
 * The mix of a phase, as it is written in a plan file. The label is the operation's name, or any other with `op`:
 *
 *     mix:
 *       get: 70
 *       create: {weight: 15, mode: ephemeral}
 *       lists: {op: multiRead, of: getChildren, ops: [3, 7], weight: 15}
 */
import type { z } from 'zod';
import { suggestion } from './did-you-mean.ts';
import { expanded, isMapping, mapping, named, word } from './field.ts';
import { weight } from './load-schema.ts';
import { CREATE_MODES, LIMITS, LOAD_OPS, type LoadOp, type MixEntry } from './plan.ts';
import { countRange, duration } from './units.ts';

const ENTRIES_MAX = 64;
const TTL_MS = 10_000;

/** An entry before it has its label. */
type WithoutLabel<E> = E extends unknown ? Omit<E, 'label'> : never;
type Entry = WithoutLabel<MixEntry>;

const op = word(LOAD_OPS).optional().describe('the operation, where the label is not its name');
const ops = countRange(LIMITS.multiCount.min, LIMITS.multiCount.max)
  .prefault(5)
  .describe('operations inside one request');

const plainOptions = mapping({ weight, op });

const createOptions = mapping({
  weight,
  op,
  mode: word(CREATE_MODES).prefault('persistent').describe('kind of znode'),
  ttl: duration(1, LIMITS.phaseMs.max)
    .optional()
    .describe('life of a znode of mode `ttl`; the server must have extended types enabled')
    .meta({ defaultText: '`10s`' }),
});

const multiOptions = mapping({
  weight,
  op,
  of: word(['set', 'check', 'createDelete'])
    .prefault('set')
    .describe('sets of existing keys, version checks, or a create and a delete in turn'),
  ops,
});

const multiReadOptions = mapping({ weight, op, of: word(['get', 'getChildren']).prefault('get'), ops });

const watchOptions = mapping({
  weight,
  op,
  on: word(['data', 'exists', 'children'])
    .prefault('data')
    .describe('the read that leaves a one-shot watch; its event is measured as `<label> event`'),
});

/** `get: 70` is short for `get: {weight: 70}`. */
const withWeight = (value: unknown): unknown => (isMapping(value) ? value : { weight: value });

const plainEntry = (name: 'get' | 'exists' | 'getChildren' | 'set' | 'delete' | 'sync') =>
  expanded(plainOptions, withWeight).transform(({ weight }): Entry => ({ op: name, weight }));

const ENTRY_OF: Readonly<Record<LoadOp, z.ZodType<Entry>>> = {
  get: plainEntry('get'),
  exists: plainEntry('exists'),
  getChildren: plainEntry('getChildren'),
  set: plainEntry('set'),
  delete: plainEntry('delete'),
  sync: plainEntry('sync'),
  create: expanded(createOptions, withWeight).transform(({ weight, mode, ttl }, context): Entry => {
    if (ttl !== undefined && mode !== 'ttl') {
      context.addIssue({
        code: 'custom',
        path: ['ttl'],
        message: `only with mode: ttl, but mode is ${mode}`,
      });
    }
    return { op: 'create', weight, mode, ttlMs: mode === 'ttl' ? (ttl ?? TTL_MS) : 0 };
  }),
  multi: expanded(multiOptions, withWeight).transform(
    ({ weight, of, ops }): Entry => ({ op: 'multi', weight, of, count: ops }),
  ),
  multiRead: expanded(multiReadOptions, withWeight).transform(
    ({ weight, of, ops }): Entry => ({ op: 'multiRead', weight, of, count: ops }),
  ),
  watch: expanded(watchOptions, withWeight).transform(
    ({ weight, on }): Entry => ({ op: 'watch', weight, on }),
  ),
};

/** For the reference: all options, each with the operations that have it. */
const exampleEntry = mapping(
  {
    weight,
    op,
    mode: createOptions.shape.mode.describe('create: kind of znode'),
    ttl: createOptions.shape.ttl.describe(`create: ${createOptions.shape.ttl.description}`),
    of: word(['set', 'check', 'createDelete', 'get', 'getChildren'])
      .optional()
      .describe(`multi: ${multiOptions.shape.of.description}. multiRead: \`get\` or \`getChildren\``)
      .meta({ defaultText: '`set`; `get`' }),
    ops: ops.describe('multi, multiRead: operations inside one request'),
    on: watchOptions.shape.on.describe(`watch: ${watchOptions.shape.on.description}`),
  },
  'a weight, or ',
);

export const mix = named<Entry>(
  {
    key: '<label>',
    allowed: 'a mapping of operations to weights, e.g. {get: 70, set: 30}',
    keyAllowed: 'a letter, then letters, digits, _ and -, up to 40 in all',
    keyPattern: /^[A-Za-z][A-Za-z0-9_-]{0,39}$/,
    entriesMin: 1,
    entriesMax: ENTRIES_MAX,
  },
  exampleEntry.describe('one kind of request; its label names it in results'),
  entryOf,
).transform((entries, context): MixEntry[] => {
  const sent = entries.filter(([, { weight }]) => weight > 0);
  if (sent.length === 0) context.addIssue({ code: 'custom', message: 'no weight above 0' });
  return sent.map(([label, entry]) => ({ label, ...entry }));
});

function entryOf(label: string, value: unknown): z.ZodType<Entry> | { readonly refused: string } {
  const stated = isMapping(value) ? value['op'] : undefined;
  const known = LOAD_OPS.find((name) => name === (stated ?? label));
  if (known !== undefined) return ENTRY_OF[known];
  // An operation that is stated wrongly is refused by the field `op` of any entry.
  if (stated !== undefined) return ENTRY_OF.get;
  const near = suggestion(label, LOAD_OPS);
  return {
    refused: `not an operation${near || ' -'} allowed: ${LOAD_OPS.join(', ')}, or any label with \`op\``,
  };
}
