/** What is wrong with a plan, and where: one line that a person can act on. */
import { ConfigFailure } from '../../src/base/failure.ts';

export type PlanPath = readonly (string | number)[];

export interface PlanIssue {
  readonly path: PlanPath;
  /** The value and what is allowed, or the rule that is broken: everything behind the key. */
  readonly message: string;
}

/** Names where a value comes from: a file, a line of it, a flag. The same for every path, or looked up. */
export type Origin = string | ((path: PlanPath) => string);

/** `plan.yaml:7:14: phases.read.measure: "10" - allowed: ...`, of the first issue; says how many more there are. */
export function planFailure(issues: readonly PlanIssue[], origin: Origin): ConfigFailure {
  const { path, message } = issues[0]!;
  const where = typeof origin === 'string' ? origin : origin(path);
  const key = path.length === 0 ? '' : `${showPath(path)}: `;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return new ConfigFailure(`${where}: ${key}${message}${more}`);
}

/** Dotted; a key with anything unusual in it is quoted. */
export function showPath(path: PlanPath): string {
  return path
    .map((step) => (/^[\w.-]+$/.test(String(step)) ? step : JSON.stringify(shorten(String(step)))))
    .join('.');
}

/** A value of a plan file in an error message: short, on one line. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (Array.isArray(value)) return shorten(`[${value.map(showItem).join(', ')}]`);
  if (typeof value === 'object') return 'a mapping';
  return shorten(String(value));
}

const SHOWN_MAX = 60;

/** Lists inside lists are not shown: a list may hold itself. */
function showItem(item: unknown): string {
  return Array.isArray(item) ? '[...]' : showValue(item);
}

function shorten(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX - 3)}...` : text;
}
