/**
 * Reads a `zoo.cfg`, which is a Java properties file: the rules are those of java.util.Properties.load(InputStream),
 * bit for bit, because the same file has to mean the same to Apache's server. Knows no keys and no checks.
 *
 *   natural line   ends with \n, \r or \r\n; leading blanks are skipped; `#` or `!` first = comment
 *   logical line   natural lines joined where one ends in an odd number of backslashes
 *   key            up to the first unescaped `=`, `:` or blank;   then blanks, at most one `=` or `:`, blanks
 *   escapes        \t \n \r \f \uXXXX, and \x = x for any other x
 *
 * Bytes are ISO-8859-1. Keys and values are trimmed, as Apache's configuration parser does on top.
 * Duplicates are kept in order: who takes the last one wants to tell about the others.
 */
import { readFileSync } from 'node:fs';
import { ConfigFailure } from '../../base/failure.ts';

export interface PropertyLine {
  readonly key: string;
  readonly value: string;
  /** Of the natural line on which the property begins, from 1. */
  readonly lineNumber: number;
}

/** @throws ConfigFailure when the file cannot be read or has a malformed `\u` escape. */
export function readZooCfg(fileName: string): PropertyLine[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(fileName);
  } catch (error) {
    throw new ConfigFailure(`cannot read the configuration file ${fileName}: ${reasonOf(error)}`);
  }
  return parseZooCfg(bytes.toString('latin1'), fileName);
}

/** @throws ConfigFailure on a malformed `\u` escape. */
export function parseZooCfg(text: string, fileName: string): PropertyLine[] {
  const properties: PropertyLine[] = [];
  const reader = new LineReader(text);
  for (let line = reader.next(); line !== null; line = reader.next()) {
    const keyEnd = findKeyEnd(line);
    const valueStart = findValueStart(line, keyEnd);
    const place = `${fileName} line ${reader.lineNumber}`;
    properties.push({
      key: javaTrim(convertEscapes(line.slice(0, keyEnd), place)),
      value: javaTrim(convertEscapes(line.slice(valueStart), place)),
      lineNumber: reader.lineNumber,
    });
  }
  return properties;
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a directory';
  return error instanceof Error ? error.message : String(error);
}

/** Splits text into logical lines: comments and blank lines left out, continuations joined, escapes untouched. */
class LineReader {
  /** Where the last returned logical line began. */
  lineNumber = 0;
  private readonly text: string;
  private position = 0;
  private naturalLine = 1;

  constructor(text: string) {
    this.text = text;
  }

  next(): string | null {
    while (this.position < this.text.length) {
      this.lineNumber = this.naturalLine;
      let line = this.naturalLineText();
      if (line === '' || line[0] === '#' || line[0] === '!') continue;
      while (endsInOddBackslashes(line)) {
        line = line.slice(0, -1);
        if (this.position >= this.text.length) break;
        line += this.naturalLineText();
      }
      if (line !== '') return line;
    }
    return null;
  }

  /** The next natural line without its leading blanks and its terminator. */
  private naturalLineText(): string {
    const text = this.text;
    while (isBlank(text[this.position])) this.position++;
    const start = this.position;
    let end = start;
    while (end < text.length && text[end] !== '\n' && text[end] !== '\r') end++;
    this.position = text[end] === '\r' && text[end + 1] === '\n' ? end + 2 : end + 1;
    this.naturalLine++;
    return text.slice(start, end);
  }
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\f';
}

function endsInOddBackslashes(line: string): boolean {
  let count = 0;
  while (count < line.length && line[line.length - 1 - count] === '\\') count++;
  return count % 2 === 1;
}

function findKeyEnd(line: string): number {
  let escaped = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (!escaped && (character === '=' || character === ':' || isBlank(character))) return i;
    escaped = character === '\\' && !escaped;
  }
  return line.length;
}

function findValueStart(line: string, keyEnd: number): number {
  let i = keyEnd;
  let separatorSeen = false;
  for (; i < line.length; i++) {
    const character = line[i]!;
    if (isBlank(character)) continue;
    if (separatorSeen || (character !== '=' && character !== ':')) break;
    separatorSeen = true;
  }
  return i;
}

function convertEscapes(text: string, place: string): string {
  if (!text.includes('\\')) return text;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      out += text[i];
      continue;
    }
    const escaped = text[++i];
    if (escaped === 'u') {
      const digits = text.slice(i + 1, i + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
        throw new ConfigFailure(
          `${place}: malformed escape \\u${digits}: four hex digits must follow \\u; write \\\\u for the characters themselves`,
        );
      }
      out += String.fromCharCode(Number.parseInt(digits, 16));
      i += 4;
    } else if (escaped !== undefined) {
      out += CONTROL_ESCAPES.get(escaped) ?? escaped;
    }
  }
  return out;
}

const CONTROL_ESCAPES = new Map([
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
  ['f', '\f'],
]);

/** Java's String.trim: everything up to and including U+0020 counts as blank, nothing above it does. */
function javaTrim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start++;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--;
  return text.slice(start, end);
}
