/**
 * The shape of one row of the defaults table (defaults.ts). Types only, and the small constructors that keep each
 * row's key and type as literals, so that `values.int('tickTime')` compiles and `values.int('dataDir')` does not.
 */

/**
 * How a value is written. `bool` is parsed by Apache itself and refuses anything but true/false; `switch` reaches
 * it as a Java property, where everything but "true" means false; `yes-no` compares with one word, and every
 * other text means the default.
 */
export type SettingType =
  | 'int'
  | 'long'
  | 'port'
  | 'bool'
  | 'switch'
  | 'yes-no'
  | 'path'
  | 'text'
  | 'secret'
  | 'list'
  | 'duration'
  | 'decimal';

/**
 * `supported` is obeyed; `ensemble` too, but a server alone has no use for it. `accepted` asks for nothing that this server could do differently. `unsupported` asks
 * for something it cannot do: one warning. `refused` likewise, but going on would be less safe than the operator
 * asked for: any value but the default ends start-up.
 */
export type SettingStatus = 'supported' | 'ensemble' | 'accepted' | 'unsupported' | 'refused';

export interface Setting {
  /** As in the file. A last `*` stands for any ending (`ssl.*`); `<n>` for a number (`server.<n>`). */
  readonly key: string;
  /** The Java property that means the same; null = in the file only. */
  readonly property: string | null;
  readonly type: SettingType;
  readonly unit: string;
  /** What holds when the key is absent, in the file's own syntax; null = none, or computed (see `effect`). */
  readonly fallback: string | null;
  readonly status: SettingStatus;
  /** What it does here, or why it does nothing. */
  readonly effect: string;
  /** Least and greatest number, inclusive. */
  readonly min: number;
  readonly max: number;
}

export const INT_MAX = 2 ** 31 - 1;

/** Property column: only in the file, or `zookeeper.<key>`; any other text is the property's own name. */
export const FILE = 'file';
export const ZK = 'zk';

export function supported<const K extends string, const T extends SettingType>(
  key: K,
  property: string,
  type: T,
  unit: string,
  fallback: string | null,
  effect: string,
  min = 0,
  max = type === 'long' ? Number.MAX_SAFE_INTEGER : INT_MAX,
): Setting & { readonly key: K; readonly type: T; readonly status: 'supported' } {
  const name = propertyName(key, property);
  return { key, property: name, type, unit, fallback, status: 'supported', effect, min, max };
}

/** As `supported`. */
export function ensemble<const K extends string, const T extends SettingType>(
  key: K,
  property: string,
  type: T,
  unit: string,
  fallback: string | null,
  effect: string,
  min = 0,
): Setting & { readonly key: K; readonly type: T; readonly status: 'ensemble' } {
  return { ...supported(key, property, type, unit, fallback, effect, min), status: 'ensemble' };
}

/** Rows of settings that are not obeyed share everything but the first columns. */
export function notObeyed(
  status: 'accepted' | 'unsupported' | 'refused',
  effect: string,
): (key: string, property: string, type: SettingType, unit: string, fallback: string | null) => Setting {
  return (key, property, type, unit, fallback) => {
    const name = propertyName(key, property);
    return { key, property: name, type, unit, fallback, status, effect, min: -INT_MAX - 1, max: INT_MAX };
  };
}

function propertyName(key: string, property: string): string | null {
  if (property === FILE) return null;
  return property === ZK ? `zookeeper.${key}` : property;
}
