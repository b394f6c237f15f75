/**
 * What a command looks like: its words and flags, from which its parsing, its help and its completion come. Types only,
 * but for the usage line.
 */

/** What a word stands for: completion offers it, and paths are checked before anything is sent. */
export type WordKind = 'path' | 'text' | 'file' | 'servers' | 'command' | 'pathOrServers';

export interface Positional {
  readonly name: string;
  readonly kind: WordKind;
  readonly optional?: boolean;
  /** The only words that may stand here. */
  readonly values?: readonly string[];
}

export interface Flag {
  /** `s` is written `-s`; a longer one `-file` or `--file`. */
  readonly name: string;
  /** Another spelling. */
  readonly alias?: string;
  /** Name of the value behind it; without one it is a switch. */
  readonly value?: string;
  readonly kind?: 'text' | 'integer' | 'file';
  readonly values?: readonly string[];
  readonly help: string;
}

export const GROUPS = ['Look', 'Change', 'Watch', 'Trees', 'Quota', 'Ensemble', 'Session'] as const;

export interface CommandShape {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly group: (typeof GROUPS)[number];
  readonly help: string;
  readonly positionals: readonly Positional[];
  readonly flags: readonly Flag[];
  /** Apache's older spelling: a last word in place of a flag; still read, with a word on it. */
  readonly oldLastWord?: { readonly flag: string; readonly name: string; readonly instead: string };
  /** Needs no connection. */
  readonly isLocal?: boolean;
  /** Has a secret in its words: the history does not keep it. */
  readonly isSecret?: boolean;
}

/** As `-s`, `-file`, `--max-depth`. */
export function flagText(flag: Flag): string {
  const dashes = flag.name.length > 1 && flag.name.includes('-') ? '--' : '-';
  return flag.value === undefined ? `${dashes}${flag.name}` : `${dashes}${flag.name} ${flag.value}`;
}

/** `ls [-s] [-w] [-R] path`. */
export function usageOf(spec: CommandShape): string {
  const flags = spec.flags.map((flag) => `[${flagText(flag)}]`);
  const words = spec.positionals.map(({ name, optional }) => (optional === true ? `[${name}]` : name));
  return [spec.name, ...flags, ...words].join(' ');
}
