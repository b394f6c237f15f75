/**
 * Values in znodes: how they are written and read. A codec's `decode` throws on what it cannot read; whoever uses it says
 * where that was. Pure.
 */

export interface Codec<T> {
  encode(value: T): Uint8Array | null;
  /** @throws any error: these bytes are no value of this kind. */
  decode(bytes: Uint8Array | null): T;
}

/** What a validator of any library offers: the Standard Schema interface, version 1. */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    validate(value: unknown): SchemaResult<T> | Promise<SchemaResult<T>>;
  };
}

type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export const bytes: Codec<Uint8Array | null> = { encode: (value) => value, decode: (value) => value };

export const utf8: Codec<string> = {
  encode: (value) => encoder.encode(value),
  decode: (value) => (value === null ? '' : decoder.decode(value)),
};

export const int32be: Codec<number> = {
  encode(value) {
    const out = new Uint8Array(4);
    new DataView(out.buffer).setInt32(0, value);
    return out;
  },
  decode: (value) => viewOf(value, 4).getInt32(0),
};

export const int64be: Codec<bigint> = {
  encode(value) {
    const out = new Uint8Array(8);
    new DataView(out.buffer).setBigInt64(0, value);
    return out;
  },
  decode: (value) => viewOf(value, 8).getBigInt64(0),
};

/** JSON, checked by a validator where one is given. */
export function json<T = unknown>(schema?: StandardSchema<T>): Codec<T> {
  return {
    encode: (value) => encoder.encode(JSON.stringify(value)),
    decode(value) {
      const parsed: unknown = JSON.parse(utf8.decode(value));
      return schema === undefined ? (parsed as T) : checked(schema, parsed);
    },
  };
}

/** What a validator makes of `value`. */
export function checked<T>(schema: StandardSchema<T>, value: unknown): T {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) throw new TypeError('a validator of znode values must answer at once');
  if (result.issues === undefined) return result.value;
  throw new TypeError(result.issues.map(issueText).join('; '));
}

function issueText(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

function viewOf(value: Uint8Array | null, length: number): DataView {
  if (value?.length !== length)
    throw new TypeError(`expected ${length} bytes, found ${value?.length ?? 'none'}`);
  return new DataView(value.buffer, value.byteOffset, length);
}
