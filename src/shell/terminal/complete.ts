/**
 * What the Tab key offers for the word in front of the cursor: commands, flags, the values of flags, paths, files, ACLs, as
 * the table of commands says of that place. The part that asks a server is a port.
 *
 *     get -s /jobs/a▮      word `/jobs/a`, second positional of `get`: a path ─▶ names below /jobs that begin with a
 */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { flagNamed } from '../command/invocation.ts';
import { type CommandShape, type Flag, flagText, type Positional } from '../command/shape.ts';
import { splitWords, type Word } from '../command/words.ts';
import { COMMANDS, commandFound } from '../commands/table.ts';

export interface PathSource {
  /** Names of children, at once or after a bounded wait; none where they cannot be told. */
  namesBelow(path: string): Promise<readonly string[]>;
}

export interface Completion {
  /** What may stand in the place of `word`. */
  readonly offers: string[];
  /** The end of the line that an offer replaces. */
  readonly word: string;
}

const ACL_OFFERS = ['world:anyone:', 'auth::', 'digest:', 'ip:', 'sasl:', 'x509:', 'super:'];
const SCHEME_OFFERS = ['digest', 'ip', 'sasl', 'x509'];
/** They could drive the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** `line` ends at the cursor. */
export async function complete(line: string, source: PathSource): Promise<Completion> {
  const { words, isOpen } = wordsOf(line);
  const last = words.at(-1);
  const present = last !== undefined && (isOpen || last.end === line.length) ? last : null;
  const before = (present === null ? words : words.slice(0, -1)).map(({ text }) => text);
  const word = present === null ? '' : line.slice(present.start);
  const text = present?.text ?? '';
  const found = (await offersFor(before, text, source)).filter(
    (offer) => offer.startsWith(text) && !CONTROL.test(offer),
  );
  const quote = isOpen || present?.isQuoted === true ? word[0]! : null;
  return { offers: found.map((offer) => quoted(offer, quote)), word };
}

/** An open quote ends with the line. */
function wordsOf(line: string): { readonly words: Word[]; readonly isOpen: boolean } {
  for (const close of ['', '"', "'"]) {
    try {
      return { words: splitWords(line + close), isOpen: close !== '' };
    } catch {
      // Another quote is open.
    }
  }
  return { words: [], isOpen: false };
}

async function offersFor(before: readonly string[], text: string, source: PathSource): Promise<string[]> {
  const [name, ...rest] = before;
  if (name === undefined) return COMMANDS.map((spec) => spec.name).sort();
  const spec = commandFound(name);
  if (spec === null) return [];
  const { waitingFlag, positionalCount } = placeOf(spec, rest);
  if (waitingFlag !== null) return valuesOf(waitingFlag, text);
  if (text.startsWith('-')) return spec.flags.map((flag) => flagText(flag).split(' ')[0]!).sort();
  const positional = spec.positionals[positionalCount];
  return positional === undefined ? [] : wordsFor(positional, text, source);
}

/** Where the next word stands. */
function placeOf(
  spec: CommandShape,
  words: readonly string[],
): { readonly waitingFlag: Flag | null; readonly positionalCount: number } {
  let waitingFlag: Flag | null = null;
  let positionalCount = 0;
  for (const word of words) {
    const flag: Flag | null = waitingFlag === null && word.startsWith('-') ? flagNamed(spec, word) : null;
    if (waitingFlag === null && !word.startsWith('-')) positionalCount++;
    waitingFlag = flag?.value === undefined || word.includes('=') ? null : flag;
  }
  return { waitingFlag, positionalCount };
}

async function valuesOf(flag: Flag, text: string): Promise<string[]> {
  return flag.kind === 'file' ? fileNames(text) : [...(flag.values ?? [])];
}

async function wordsFor(
  { kind, name, values }: Positional,
  text: string,
  source: PathSource,
): Promise<string[]> {
  if (values !== undefined) return [...values];
  if (kind === 'command') return COMMANDS.map((spec) => spec.name).sort();
  if (kind === 'file') return fileNames(text);
  if (kind === 'path' || (kind === 'pathOrServers' && text.startsWith('/'))) return paths(text, source);
  if (name === 'acl') return ACL_OFFERS;
  return name === 'scheme' ? SCHEME_OFFERS : [];
}

async function paths(text: string, source: PathSource): Promise<string[]> {
  if (!text.startsWith('/')) return text === '' ? ['/'] : [];
  const slash = text.lastIndexOf('/');
  const names = await source.namesBelow(slash === 0 ? '/' : text.slice(0, slash));
  const lead = text.slice(0, slash + 1);
  return names.map((name) => lead + name).sort();
}

/** Folders end with a slash, so that one can go on. */
async function fileNames(text: string): Promise<string[]> {
  const folder = text.endsWith('/') ? text : dirname(text);
  const lead = text.slice(0, text.lastIndexOf('/') + 1);
  try {
    const entries = await readdir(folder === '' ? '.' : join(folder), { withFileTypes: true });
    return entries.map((entry) => `${lead}${entry.name}${entry.isDirectory() ? '/' : ''}`).sort();
  } catch {
    return [];
  }
}

/** A name with a blank in it is one word only in quotes; a quote that is open stays open. */
function quoted(offer: string, quote: string | null): string {
  if (quote !== null) return quote + offer;
  return /\s/.test(offer) ? `"${offer}"` : offer;
}
