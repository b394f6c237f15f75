/**
 * The building blocks of the plan's schema, on zod: each parses, says in one sentence what it allows, and keeps what the
 * reference of the README needs (`fieldDoc`).
 *
 *     leaf       10s                         one value, read by a function of its own
 *     mapping    {znodes: 10, root: /bench}  known keys only
 *     named      {read: {...}, write: ...}   keys chosen by the user; becomes a list in the order of the file
 *     choice     uniform | {zipf: 0.99}      one of several forms, by name
 *
 * Values, lists and mappings are zod's own types and checks, each with an error of ours. `leaf`, `named` and `choice` are
 * transforms, because zod's types would say less: a time with its unit is no type of it; a record's entries here depend on
 * their key; a union of forms that share no discriminating key reports every form that it is not, where a choice picks
 * its form first, so that the error speaks of what the user meant.
 */
import { z } from 'zod';
import { suggestion } from './did-you-mean.ts';
import { type PlanIssue, type PlanPath, showValue } from './issue.ts';

export type FieldDoc =
  | { readonly node: 'leaf'; readonly allowed: string }
  | { readonly node: 'mapping'; readonly allowed: string; readonly shape: z.ZodRawShape }
  | { readonly node: 'named'; readonly allowed: string; readonly key: string; readonly entry: z.ZodType }
  | { readonly node: 'list'; readonly allowed: string; readonly item: z.ZodType }
  | {
      readonly node: 'choice';
      readonly allowed: string;
      readonly forms: Readonly<Record<string, z.ZodType>>;
    };

/** By definition and not by schema: `describe` copies the schema, but not its definition. */
const docs = new WeakMap<object, FieldDoc>();

/** What a field made here is; null for wrappers like `optional`. */
export function fieldDoc(schema: z.ZodType): FieldDoc | null {
  return docs.get(schema.def) ?? null;
}

function documented<T extends z.ZodType>(schema: T, doc: FieldDoc): T {
  docs.set(schema.def, doc);
  return schema;
}

/** `read` gives undefined for what is not allowed. */
export function leaf<T>(allowed: string, read: (value: unknown) => T | undefined) {
  const schema = z.unknown().transform((value, context): T => {
    const parsed = read(value);
    if (parsed !== undefined) return parsed;
    refuse(context, [], wrongValue(value, allowed));
    return z.NEVER;
  });
  return documented(schema, { node: 'leaf', allowed });
}

/** For zod's own types and checks: whatever is wrong, the one sentence that says what is allowed. */
function saying(allowed: string) {
  return { error: (issue: { readonly input?: unknown }) => wrongValue(issue.input, allowed), abort: true };
}

export function number(min: number, max: number) {
  const allowed = `a number from ${min} to ${max}`;
  const says = saying(allowed);
  return documented(z.number(says).min(min, says).max(max, says), { node: 'leaf', allowed });
}

export function integer(min: number, max: number) {
  const allowed = `a whole number from ${min} to ${max}`;
  const says = saying(allowed);
  return documented(z.int(says).min(min, says).max(max, says), { node: 'leaf', allowed });
}

export function word<const W extends string>(words: readonly W[]) {
  const allowed = words.join(', ');
  return documented(z.enum(words as readonly [W, ...W[]], saying(allowed)), { node: 'leaf', allowed });
}

export function text(allowed: string, pattern: RegExp) {
  const says = saying(allowed);
  return documented(z.string(says).regex(pattern, says), { node: 'leaf', allowed });
}

export function flag() {
  const allowed = 'true or false';
  return documented(z.boolean(saying(allowed)), { node: 'leaf', allowed });
}

/** Known keys only. `shorthands` says what else may stand in the place of a mapping; see `expanded`. */
export function mapping<S extends z.ZodRawShape>(shape: S, shorthands = '') {
  const keys = Object.keys(shape);
  const allowed = `${shorthands}a mapping with ${keys.length === 0 ? 'no keys' : keys.join(', ')}`;
  const schema = z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return wrongValue(issue.input, allowed);
      return unknownKey(issue.keys[0]!, keys);
    },
  });
  return documented(schema, { node: 'mapping', allowed, shape });
}

/** A mapping that may be written shorter: `expand` gives the long form, or the value as it is. */
export function expanded<T extends z.ZodType>(schema: T, expand: (value: unknown) => unknown) {
  return documented(z.preprocess(expand, schema), fieldDoc(schema)!);
}

export interface NamedRules {
  /** How the key is called in the reference: `<phase>`. */
  readonly key: string;
  readonly allowed: string;
  readonly keyAllowed: string;
  readonly keyPattern: RegExp;
  readonly entriesMin: number;
  readonly entriesMax: number;
}

/** Keys chosen by the user. `entry` may depend on the key; `exampleEntry` stands for all in the reference. */
export function named<T>(
  rules: NamedRules,
  exampleEntry: z.ZodType,
  entry: (name: string, value: unknown) => z.ZodType<T> | { readonly refused: string },
) {
  const schema = z.unknown().transform((value, context): readonly (readonly [name: string, value: T])[] => {
    if (!isMapping(value)) {
      refuse(context, [], wrongValue(value, rules.allowed));
      return z.NEVER;
    }
    const entries = Object.entries(value);
    if (entries.length < rules.entriesMin || entries.length > rules.entriesMax) {
      refuse(context, [], `${entries.length} entries - allowed: ${rules.entriesMin} to ${rules.entriesMax}`);
      return z.NEVER;
    }
    const parsed: (readonly [string, T])[] = [];
    for (const [name, item] of entries) {
      if (!rules.keyPattern.test(name)) {
        refuse(context, [name], `${showValue(name)} as a name - allowed: ${rules.keyAllowed}`);
        continue;
      }
      const schema = entry(name, item);
      if ('refused' in schema) refuse(context, [name], schema.refused);
      else parseInto(schema, item, [name], context, (output) => parsed.push([name, output]));
    }
    return parsed;
  });
  return documented(schema, { node: 'named', allowed: rules.allowed, key: rules.key, entry: exampleEntry });
}

export function list<T extends z.ZodType>(item: T, allowed: string, max: number) {
  const schema = z.array(item, saying(allowed)).max(max, {
    error: ({ input }) => `${(input as unknown[]).length} items - allowed: at most ${max}`,
    abort: true,
  });
  return documented(schema, { node: 'list', allowed, item });
}

type Forms = Readonly<Record<string, z.ZodType>>;
/** The form that was chosen, with its options. */
export type Chosen<F extends Forms> = {
  [K in keyof F & string]: { readonly form: K; readonly options: z.output<F[K]> };
}[keyof F & string];

/** One of several forms: `name`, or `{name: options}`. A plain value that names none is read as `plainForm`, if there is one. */
export function choice<F extends Forms>(forms: F, allowed: string, plainForm: keyof F | null = null) {
  const names = Object.keys(forms);
  const schema = z.unknown().transform((value, context): Chosen<F> => {
    const picked = pickForm(value, forms, plainForm as string | null);
    if (picked === null) {
      const near = typeof value === 'string' ? suggestion(value, names) : '';
      refuse(context, [], wrongValue(value, allowed, near));
      return z.NEVER;
    }
    if ('refused' in picked) {
      refuse(context, picked.path, picked.refused);
      return z.NEVER;
    }
    let chosen = z.NEVER as Chosen<F>;
    const form = forms[picked.form]!;
    if (picked.form === plainForm && picked.path.length === 0 && !form.safeParse(picked.options).success) {
      refuse(context, [], wrongValue(value, allowed, suggestion(String(value), names)));
      return chosen;
    }
    parseInto(form, picked.options, picked.path, context, (options) => {
      chosen = { form: picked.form, options } as Chosen<F>;
    });
    return chosen;
  });
  return documented(schema, { node: 'choice', allowed, forms });
}

type Picked =
  | { readonly form: string; readonly options: unknown; readonly path: PlanPath }
  | { readonly refused: string; readonly path: PlanPath };

function pickForm(value: unknown, forms: Forms, plainForm: string | null): Picked | null {
  const names = Object.keys(forms);
  if (typeof value === 'string' && names.includes(value)) {
    return { form: value, options: noOptions(forms[value]!), path: [value] };
  }
  if (!isMapping(value)) {
    return plainForm === null || value === undefined || value === null || typeof value === 'object'
      ? null
      : { form: plainForm, options: value, path: [] };
  }
  const keys = Object.keys(value);
  const unknown = keys.find((key) => !names.includes(key));
  if (unknown !== undefined) return { refused: unknownKey(unknown, names), path: [unknown] };
  if (keys.length !== 1) {
    return { refused: `${keys.length} keys - allowed: exactly one of ${names.join(', ')}`, path: [] };
  }
  const form = keys[0]!;
  return { form, options: value[form] ?? noOptions(forms[form]!), path: [form] };
}

/** What a form is given that is only named: its defaults, or nothing where it is one value. */
function noOptions(form: z.ZodType): unknown {
  return fieldDoc(form)?.node === 'mapping' ? {} : undefined;
}

/** Issues in the order in which they help: a key that nothing knows explains another one that is missing. */
export function issuesOf(error: z.ZodError): PlanIssue[] {
  const issues = error.issues.flatMap((issue): PlanIssue[] => {
    const path = issue.path as PlanPath;
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    return issue.keys.map((key) => ({ path: [...path, key], message: issue.message }));
  });
  const isUnknownKey = ({ message }: PlanIssue): boolean => message.startsWith(UNKNOWN_KEY);
  return [...issues.filter(isUnknownKey), ...issues.filter((issue) => !isUnknownKey(issue))];
}

const UNKNOWN_KEY = 'unknown key';

function unknownKey(key: string, keys: readonly string[]): string {
  const allowed = keys.length === 0 ? 'none' : keys.join(', ');
  return `${UNKNOWN_KEY}${suggestion(key, keys) || ' -'} allowed: ${allowed}`;
}

function wrongValue(value: unknown, allowed: string, near = ''): string {
  return value === undefined
    ? `missing - allowed: ${allowed}`
    : `${showValue(value)}${near || ' -'} allowed: ${allowed}`;
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Context = Parameters<Parameters<z.ZodType['transform']>[0]>[1];

function refuse(context: Context, path: PlanPath, message: string): void {
  context.addIssue({ code: 'custom', path: [...path], message });
}

/** Parses a part with its own schema; its issues become issues of the whole. */
function parseInto<T>(
  schema: z.ZodType<T>,
  value: unknown,
  path: PlanPath,
  context: Context,
  use: (output: T) => void,
): void {
  const result = schema.safeParse(value);
  if (result.success) use(result.data);
  else for (const issue of issuesOf(result.error)) refuse(context, [...path, ...issue.path], issue.message);
}
