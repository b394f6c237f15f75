/** The one command that repeats a run elsewhere, for results: what was typed, without the places of this machine. */
/** Flags that name places, or change only what is printed. */
const LEFT_OUT_WITH_VALUE: ReadonlySet<string> = new Set(['--out', '--temp-dir', '--tempDir']);
/** A plan file by its absolute path, alone or behind `=`. */
const PLAN_FILE = /^([^/]*=)?\/.*\/([^/]+\.ya?ml)$/;
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
    kept.push(quoted(arg.replace(PLAN_FILE, '$1$2')));
  }
  return ['npx ringkeeper', ...kept].join(' ');
}

/** A password belongs into no result, nor the place of a file. */
function withoutSecret(text: string): string {
  return text.startsWith('@') ? '@FILE' : `${quoted(text.replace(/^(\w+:[^:]*).*$/, '$1'))}:PASSWORD`;
}

/** As a POSIX shell reads it back. */
function quoted(arg: string): string {
  return /^[\w./:=,@%+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
