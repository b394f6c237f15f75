/**
 * What is tried: parameters of a server and, of each, a few values beside its default. A point of the space is one level
 * per parameter, 0 for the default, so that the search knows no names.
 */
import { ConfigFailure } from '../../src/base/failure.ts';

export interface Parameter {
  /** As in zoo.cfg. */
  readonly key: string;
  /** Levels 1, 2, ...; neighbours lie next to each other. */
  readonly values: readonly string[];
  /** It does nothing unless that other parameter has one of these values, or any but its default. */
  readonly onlyWith?: { readonly key: string; readonly values?: readonly string[] };
}

/** One level per parameter. */
export type Point = readonly number[];

/** What differs from the default. */
export type PointSettings = Readonly<Record<string, string>>;

export function isDefault(point: Point): boolean {
  return point.every((level) => level === 0);
}

/** Two points that the server cannot tell apart become one: what does nothing goes back to its default. */
export function canonical(parameters: readonly Parameter[], point: Point): Point {
  return point.map((level, at) => {
    const { onlyWith } = parameters[at]!;
    if (level === 0 || onlyWith === undefined) return level;
    const other = parameters.findIndex(({ key }) => key === onlyWith.key);
    const value = parameters[other]?.values[point[other]! - 1];
    return value !== undefined && acts(onlyWith, value) ? level : 0;
  });
}

export function settingsOf(parameters: readonly Parameter[], point: Point): PointSettings {
  return Object.fromEntries(
    parameters.flatMap(({ key, values }, at) => (point[at] === 0 ? [] : [[key, values[point[at]! - 1]!]])),
  );
}

/**
 * Without what the target sets itself, which stays as it is; where another parameter depends on that, it depends on it no
 * longer, or goes too.
 */
export function withoutFixed(parameters: readonly Parameter[], fixed: PointSettings): Parameter[] {
  return parameters.flatMap(({ onlyWith, ...parameter }) => {
    if (parameter.key in fixed) return [];
    if (onlyWith === undefined) return [parameter];
    if (!(onlyWith.key in fixed)) return [{ ...parameter, onlyWith }];
    return acts(onlyWith, fixed[onlyWith.key]!) ? [parameter] : [];
  });
}

function acts({ values }: NonNullable<Parameter['onlyWith']>, value: string): boolean {
  return values?.includes(value) ?? true;
}

/** `flushDelay=1,5`: what is tried of one parameter. @throws ConfigFailure */
export function parseParameter(text: string): Parameter {
  const match = /^\s*([A-Za-z][\w.-]*)=(.+)$/.exec(text);
  const values = (match?.[2] ?? '').split(',').map((value) => value.trim());
  if (match === null || values.some((value) => value === '') || new Set(values).size < values.length) {
    throw new ConfigFailure(
      `--param: "${text}" - allowed: KEY=VALUE,VALUE with each value once, e.g. flushDelay=1,5`,
    );
  }
  const key = match[1]!;
  if (UNSAFE.test(key)) {
    throw new ConfigFailure(
      `--param: ${key} is not tuned: without it a server acknowledges writes that are not on disk yet`,
    );
  }
  return { key, values };
}

const UNSAFE = /^(?:zookeeper\.)?forceSync$/;
