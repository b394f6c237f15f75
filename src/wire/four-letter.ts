/**
 * Four-letter words: commands in place of the first frame length of a connection, compared as the int32 that the
 * four bytes make. All of them lie far above any frame limit, so no length is ever mistaken for a word. Pure
 * tables, any thread; the answers are the server layer's business.
 */

const WORDS = [
  'ruok',
  'conf',
  'cons',
  'crst',
  'srst',
  'dirs',
  'dump',
  'envi',
  'srvr',
  'stat',
  'wchs',
  'wchc',
  'wchp',
  'mntr',
  'isro',
  'hash',
  'gtmk',
  'stmk',
] as const;

type Word = (typeof WORDS)[number] | 'telnetClose';

/** What a telnet client sends for Ctrl-C, `ff f4 ff fd`: Apache takes it for a command. */
const TELNET_CLOSE = 0xfff4fffd | 0;

/** Each word as the int32 on the wire. `stmk` is followed by an int64, the others by nothing that matters. */
export const FourLetterWord: Readonly<Record<Word, number>> = wordTable();

const NAMES: ReadonlyMap<number, string> = new Map([
  ...WORDS.map((word): [number, string] => [FourLetterWord[word], word]),
  [TELNET_CLOSE, 'telnet close'],
]);

export function isFourLetterWord(word: number): boolean {
  return NAMES.has(word);
}

/** The name for whitelists and answers; undefined for what is no word. */
export function fourLetterName(word: number): string | undefined {
  return NAMES.get(word);
}

function wordTable(): Record<Word, number> {
  const table: Partial<Record<Word, number>> = { telnetClose: TELNET_CLOSE };
  for (const word of WORDS) {
    let value = 0;
    for (let i = 0; i < 4; i++) value = (value << 8) | word.charCodeAt(i);
    table[word] = value;
  }
  return table as Record<Word, number>;
}
