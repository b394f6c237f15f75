/**
 * The one command that repeats a run, for results: what was typed, without the places of this machine, and to be run in
 * the same directory. A file (a plan, a recording) is named by its way from there, so that the command runs as printed and
 * the result does not tell where on the machine that was.
 */
import { existsSync, statSync } from 'node:fs';
import { relative } from 'node:path';

/** Flags that name places, or change only what is printed. */
const LEFT_OUT_WITH_VALUE: ReadonlySet<string> = new Set(['--out', '--temp-dir', '--tempDir']);
const LEFT_OUT: ReadonlySet<string> = new Set(['--json', '--no-json', '--publish', '--no-publish']);

/** `args`: what stands behind the program's name, `bench` included. */
export function repeatCommand(args: readonly string[]): string {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const name = arg.split('=', 1)[0]!;
    if (LEFT_OUT.has(name)) continue;
    if (LEFT_OUT_WITH_VALUE.has(name)) {
      if (name === arg) i++;
      continue;
    }
    if (name === '--auth') {
      const value = name === arg ? (args[++i] ?? '') : arg.slice(name.length + 1);
      kept.push('--auth', withoutSecret(value));
      continue;
    }
    kept.push(quoted(fromHere(arg)));
  }
  return ['npx ringkeeper', ...kept].join(' ');
}

/** Of an absolute path to a file, alone or behind `--plan=`; anything else stays as it is. */
function fromHere(arg: string): string {
  const [, flag = '', path] = /^(--plan=)?(\/.+)$/.exec(arg) ?? [];
  if (path === undefined || !existsSync(path) || !statSync(path).isFile()) return arg;
  return flag + relative('', path);
}

/** A password belongs into no result, nor the place of a file. */
function withoutSecret(text: string): string {
  return text.startsWith('@') ? '@FILE' : `${quoted(text.replace(/^(\w+:[^:]*).*$/, '$1'))}:PASSWORD`;
}

/** As a POSIX shell reads it back. */
function quoted(arg: string): string {
  return /^[\w./:=,@%+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
