/**
 * Words to flags and positionals, by the table's entry of the command. Flags may stand anywhere, short switches may be
 * bundled (`-sw`), `--` ends them, and a negative number is no flag. Every complaint is one line with the usage. Pure.
 */
import { pathProblem } from '../../client/paths.ts';
import { usageError } from './failure.ts';
import { type CommandShape, type Flag, flagText, usageOf } from './shape.ts';

export class Invocation {
  readonly spec: CommandShape;
  readonly words: readonly string[];
  /** What the user should know of the spelling. */
  readonly advice: string | null;
  private readonly given: ReadonlyMap<string, string>;

  constructor(
    spec: CommandShape,
    words: readonly string[],
    given: ReadonlyMap<string, string>,
    advice: string | null,
  ) {
    this.spec = spec;
    this.words = words;
    this.given = given;
    this.advice = advice;
  }

  has(flag: string): boolean {
    return this.given.has(flag);
  }

  text(flag: string): string | null {
    return this.given.get(flag) ?? null;
  }

  /** Of a flag of kind `integer`. */
  integer(flag: string): number | null {
    const text = this.given.get(flag);
    return text === undefined ? null : Number(text);
  }

  /** A positional that must be there. */
  word(index: number): string {
    return this.words[index]!;
  }

  wordOr(index: number, otherwise: string): string {
    return this.words[index] ?? otherwise;
  }

  fail(message: string): Error {
    return usageError(`${this.spec.name}: ${message}`);
  }
}

/** @throws ShellError that says what cannot be read. */
export function readInvocation(spec: CommandShape, words: readonly string[]): Invocation {
  const given = new Map<string, string>();
  const positionals: string[] = [];
  const waiting = [...words];
  let flagsEnded = false;
  while (waiting.length > 0) {
    const word = waiting.shift()!;
    if (flagsEnded || !looksLikeFlag(spec, word)) positionals.push(word);
    else if (word === '--') flagsEnded = true;
    else takeFlag(spec, word, waiting, given);
  }
  const advice = takeOldLastWord(spec, positionals, given);
  checkCount(spec, positionals);
  spec.positionals.forEach((positional, index) => {
    const word = positionals[index];
    if (word === undefined) return;
    if (positional.kind === 'path') checkPath(spec, word, given);
    if (positional.values !== undefined) checkValue(spec, positional.name, word, positional.values);
  });
  return new Invocation(spec, positionals, given, advice);
}

/** The flag that a word names, or null. */
export function flagNamed(spec: CommandShape, word: string): Flag | null {
  const name = word.replace(/^--?/, '');
  return spec.flags.find((flag) => flag.name === name || flag.alias === name) ?? null;
}

function looksLikeFlag(spec: CommandShape, word: string): boolean {
  if (!word.startsWith('-') || word === '-') return false;
  return !/^-\d/.test(word) || flagNamed(spec, word) !== null;
}

function takeFlag(spec: CommandShape, word: string, waiting: string[], given: Map<string, string>): void {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1;
  const flag = flagNamed(spec, equals < 0 ? word : word.slice(0, equals));
  if (flag === null) {
    for (const one of bundleOf(spec, word)) given.set(one.name, '');
    return;
  }
  if (flag.value === undefined) {
    if (equals >= 0) throw usageError(`${spec.name}: ${flagText(flag)} takes no value`);
    given.set(flag.name, '');
    return;
  }
  const value = equals >= 0 ? word.slice(equals + 1) : waiting.shift();
  if (value === undefined) throw usageError(`${spec.name}: ${word} needs a value: ${flagText(flag)}`);
  if (flag.kind === 'integer' && !(/^-?\d+$/.test(value) && Number.isSafeInteger(Number(value)))) {
    throw usageError(`${spec.name}: ${word} needs a whole number, not "${value}"`);
  }
  if (flag.values !== undefined) checkValue(spec, word, value, flag.values);
  given.set(flag.name, value);
}

/** `delete /a 3` as `delete -v 3 /a`. Returns Apache's words on it; null for the present spelling. */
function takeOldLastWord(
  spec: CommandShape,
  positionals: string[],
  given: Map<string, string>,
): string | null {
  const { oldLastWord } = spec;
  if (oldLastWord === undefined || positionals.length !== spec.positionals.length + 1) return null;
  const { flag, name, instead } = oldLastWord;
  takeFlag(spec, `-${flag}`, [positionals.pop()!], given);
  return `'${spec.name} path [${name}]' has been deprecated. Please use '${instead}' instead.`;
}

/** `-sw` as `-s -w`. */
function bundleOf(spec: CommandShape, word: string): Flag[] {
  const flags = [...word.slice(1)].map((letter) => flagNamed(spec, `-${letter}`));
  const isBundle = !word.startsWith('--') && flags.every((flag) => flag !== null && flag.value === undefined);
  if (!isBundle) throw usageError(`${spec.name}: unknown flag ${word}; usage: ${usageOf(spec)}`);
  return flags as Flag[];
}

function checkCount(spec: CommandShape, words: readonly string[]): void {
  const needed = spec.positionals.filter(({ optional }) => optional !== true).length;
  if (words.length < needed) {
    const missing = spec.positionals[words.length]!.name;
    throw usageError(`${spec.name}: ${missing} is missing; usage: ${usageOf(spec)}`);
  }
  if (words.length > spec.positionals.length) {
    const extra = words[spec.positionals.length];
    throw usageError(`${spec.name}: one word too many: "${extra}"; usage: ${usageOf(spec)}`);
  }
}

function checkPath(spec: CommandShape, word: string, given: ReadonlyMap<string, string>): void {
  // A sequential znode may be named by its number alone.
  const isSequential = spec.name === 'create' && given.has('s') && word.length > 1 && word.endsWith('/');
  const problem = pathProblem(isSequential ? word.slice(0, -1) : word);
  if (problem !== null) throw usageError(`${spec.name}: path "${word}" ${problem}`);
}

function checkValue(spec: CommandShape, what: string, word: string, values: readonly string[]): void {
  if (values.some((value) => value.toLowerCase() === word.toLowerCase())) return;
  throw usageError(`${spec.name}: ${what} is one of ${values.join(', ')}, not "${word}"`);
}
