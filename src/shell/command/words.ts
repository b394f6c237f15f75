/**
 * A line as words, by the rules of Apache's shell, so that its scripts read the same: blanks separate; a word that begins
 * with a quote runs to the next quote of its kind; a quote inside a word is a letter of it, which leaves JSON as it is.
 * Pure.
 *
 *     create /a '{"k": 1}' world:anyone:r   ─▶  create · /a · {"k": 1} · world:anyone:r
 */
import { usageError } from './failure.ts';

export interface Word {
  readonly text: string;
  /** Where it begins in the line, its quote included. */
  readonly start: number;
  readonly end: number;
  readonly isQuoted: boolean;
}

/** @throws ShellError when a quote is not closed. */
export function splitWords(line: string): Word[] {
  const words: Word[] = [];
  for (let at = nextWord(line, 0); at < line.length; at = nextWord(line, at)) {
    const word = wordAt(line, at);
    words.push(word);
    at = word.end;
  }
  return words;
}

/**
 * Several commands in one text: one a line, or with a `;` between them that stands alone or ends a word. A `;` inside a
 * word (as in the configuration of a server) or in quotes is a letter. Lines that begin with # are remarks.
 */
export function splitCommands(text: string): string[] {
  const commands: string[] = [];
  const add = (part: string): void => {
    const trimmed = part.trim();
    if (trimmed !== '' && !trimmed.startsWith('#')) commands.push(trimmed);
  };
  for (const line of text.split(/\r?\n/)) {
    let from = 0;
    for (const word of line.trimStart().startsWith('#') ? [] : splitWords(line)) {
      if (word.isQuoted || !word.text.endsWith(';')) continue;
      add(line.slice(from, word.end - 1));
      from = word.end;
    }
    add(line.slice(from));
  }
  return commands;
}

function nextWord(line: string, from: number): number {
  let at = from;
  while (at < line.length && isBlank(line[at]!)) at++;
  return at;
}

function wordAt(line: string, start: number): Word {
  const quote = line[start]!;
  if (quote === '"' || quote === "'") {
    const close = line.indexOf(quote, start + 1);
    if (close < 0) throw usageError(`the quote ${quote} at column ${start + 1} is not closed`);
    return { text: line.slice(start + 1, close), start, end: close + 1, isQuoted: true };
  }
  let end = start;
  while (end < line.length && !isBlank(line[end]!)) end++;
  return { text: line.slice(start, end), start, end, isQuoted: false };
}

function isBlank(letter: string): boolean {
  return letter === ' ' || letter === '\t' || letter === '\r' || letter === '\n';
}
