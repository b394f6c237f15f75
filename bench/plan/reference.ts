/** The reference of all keys of a plan file, made from the schema, so that the two cannot disagree. */
import { z } from 'zod';
import { ConfigFailure } from '../../src/base/failure.ts';
import { planDocument } from './document-schema.ts';
import { type FieldDoc, fieldDoc } from './field.ts';

export const REFERENCE_BEGIN = '<!-- plan-keys:begin -->';
export const REFERENCE_END = '<!-- plan-keys:end -->';

interface Row {
  readonly key: string;
  readonly allowed: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** A Markdown table: one row per key, in the order of the schema. */
export function planReference(): string {
  const rows = rowsOf(planDocument, '', new Map(), null);
  return [
    '| Key | Allowed | Default | Meaning |',
    '|---|---|---|---|',
    ...rows.map(({ key, allowed, fallback, meaning }) =>
      ['', `\`${key}\``, allowed, fallback, meaning, ''].join(' | ').trim(),
    ),
  ].join('\n');
}

/** @throws ConfigFailure when the document has no place for the reference. */
export function withPlanReference(markdown: string): string {
  const begin = markdown.indexOf(REFERENCE_BEGIN);
  const end = markdown.indexOf(REFERENCE_END);
  if (begin < 0 || end < begin) {
    throw new ConfigFailure(
      `the document has no lines ${REFERENCE_BEGIN} and ${REFERENCE_END} to put the reference between`,
    );
  }
  return `${markdown.slice(0, begin)}${REFERENCE_BEGIN}\n\n${planReference()}\n\n${markdown.slice(end)}`;
}

/** `seen`: parts that several keys share are written out once. */
function rowsOf(schema: z.ZodType, key: string, seen: Map<FieldDoc, string>, parent: FieldDoc | null): Row[] {
  const { doc, description, fallback } = facts(schema);
  const first = seen.get(doc);
  const row = {
    key,
    allowed: first === undefined ? allowedText(doc) : `as \`${first}\``,
    fallback: fallback ?? (parent?.node === 'mapping' ? 'required' : ''),
    meaning: description,
  };
  const own = key === '' ? [] : [row];
  if (first !== undefined) return own;
  if (doc.node !== 'leaf') seen.set(doc, key);
  return [...own, ...childrenOf(doc).flatMap(([name, child]) => rowsOf(child, joined(key, name), seen, doc))];
}

function childrenOf(doc: FieldDoc): readonly (readonly [name: string, schema: z.ZodType])[] {
  switch (doc.node) {
    case 'leaf':
      return [];
    case 'mapping':
      return Object.entries(doc.shape) as [string, z.ZodType][];
    case 'choice':
      return Object.entries(doc.forms);
    case 'named':
      return [[doc.key, doc.entry]];
    case 'list':
      return [['<n>', doc.item]];
  }
}

/** The keys of a mapping have rows of their own. */
function allowedText(doc: FieldDoc): string {
  const text = doc.node === 'mapping' ? doc.allowed.replace(/ with .*/, '') : doc.allowed;
  if (doc.node === 'mapping' && Object.keys(doc.shape).length === 0) return '';
  return text.replaceAll('|', '\\|');
}

function joined(key: string, name: string): string {
  return key === '' ? name : `${key}.${name}`;
}

interface Facts {
  readonly doc: FieldDoc;
  readonly description: string;
  /** Empty for what is optional without a default; null for what is required. */
  readonly fallback: string | null;
}

/** A field inside its wrappers: defaults, descriptions, transformations. */
function facts(schema: z.ZodType): Facts {
  const { description = '', defaultText } = schema.meta() ?? {};
  const fallback = typeof defaultText === 'string' ? defaultText : wrapperDefault(schema);
  const doc = fieldDoc(schema);
  if (doc !== null) return { doc, description, fallback };
  const inner = facts(innerOf(schema));
  return {
    doc: inner.doc,
    description: description || inner.description,
    fallback: fallback ?? inner.fallback,
  };
}

function wrapperDefault(schema: z.ZodType): string | null {
  if (schema instanceof z.ZodOptional) return '';
  if (!(schema instanceof z.ZodPrefault)) return null;
  const value: unknown = schema.def.defaultValue;
  return value === '' || value === null || typeof value === 'object' ? '' : `\`${String(value)}\``;
}

function innerOf(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return schema.unwrap() as z.ZodType;
  }
  if (schema instanceof z.ZodPipe) return schema.in as z.ZodType;
  throw new TypeError(`a field of the plan without documentation: ${schema.def.type}`);
}
