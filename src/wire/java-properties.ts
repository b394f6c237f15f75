/**
 * Text of `java.util.Properties`: the form of a zoo.cfg, of dynamic configuration files, and of the configuration text that
 * servers send each other in notifications, NEWLEADER and `/zookeeper/config`. The rules are those of
 * java.util.Properties.load, bit for bit, because the same text has to mean the same to Apache's server. Knows no keys.
 *
 *   natural line   ends with \n, \r or \r\n; leading blanks are skipped; `#` or `!` first = comment
 *   logical line   natural lines joined where one ends in an odd number of backslashes
 *   key            up to the first unescaped `=`, `:` or blank;   then blanks, at most one `=` or `:`, blanks
 *   escapes        \t \n \r \f \uXXXX, and \x = x for any other x
 *
 * Keys and values are trimmed, as Apache's configuration parser does on top. Duplicates are kept in order: who takes the
 * last one wants to tell about the others. Pure, any thread; a text of n characters costs O(n).
 */

export interface PropertyLine {
  readonly key: string;
  readonly value: string;
  /** Of the natural line on which the property begins, from 1. */
  readonly lineNumber: number;
}

/** A `\u` escape without four hex digits: Java refuses the whole text. */
export class MalformedProperties extends Error {
  override readonly name = 'MalformedProperties';
  readonly lineNumber: number;

  constructor(lineNumber: number, message: string) {
    super(message);
    this.lineNumber = lineNumber;
  }
}

/** @throws MalformedProperties on a malformed `\u` escape. */
export function parseProperties(text: string): PropertyLine[] {
  const properties: PropertyLine[] = [];
  const reader = new LineReader(text);
  for (let line = reader.next(); line !== null; line = reader.next()) {
    const keyEnd = findKeyEnd(line);
    const valueStart = findValueStart(line, keyEnd);
    const { lineNumber } = reader;
    properties.push({
      key: javaTrim(convertEscapes(line.slice(0, keyEnd), lineNumber)),
      value: javaTrim(convertEscapes(line.slice(valueStart), lineNumber)),
      lineNumber,
    });
  }
  return properties;
}

/**
 * The text without the properties whose keys `drops` names, and with everything else as it stands: comments, blank lines, the order.
 * @throws MalformedProperties
 */
export function withoutProperties(text: string, drops: (key: string) => boolean): string {
  const reader = new LineReader(text);
  const kept: string[] = [];
  let from = 0;
  for (let line = reader.next(); line !== null; line = reader.next()) {
    if (!drops(javaTrim(convertEscapes(line.slice(0, findKeyEnd(line)), reader.lineNumber)))) continue;
    kept.push(text.slice(from, reader.start));
    from = reader.end;
  }
  return kept.join('') + text.slice(from);
}

/** `value` as it may stand behind a key. */
export function propertyValue(value: string): string {
  return value
    .replace(/\\/g, '\\\\')
    .replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Splits text into logical lines: comments and blank lines left out, continuations joined, escapes untouched. */
class LineReader {
  /** Where the last returned logical line began. */
  lineNumber = 0;
  /** The same as an offset, with its leading blanks. */
  start = 0;
  private readonly text: string;
  private position = 0;
  private naturalLine = 1;

  constructor(text: string) {
    this.text = text;
  }

  /** Where the next one begins. */
  get end(): number {
    return this.position;
  }

  next(): string | null {
    while (this.position < this.text.length) {
      this.lineNumber = this.naturalLine;
      this.start = this.position;
      let line = this.naturalLineText();
      if (line === '' || line[0] === '#' || line[0] === '!') continue;
      if (endsInOddBackslashes(line)) line = this.joined(line);
      if (line !== '') return line;
    }
    return null;
  }

  /** Piece by piece: a line that grows by concatenation would be copied once per continuation. */
  private joined(first: string): string {
    const pieces = [first.slice(0, -1)];
    while (this.position < this.text.length) {
      const piece = this.naturalLineText();
      const goesOn = endsInOddBackslashes(piece);
      pieces.push(goesOn ? piece.slice(0, -1) : piece);
      if (!goesOn) break;
    }
    return pieces.join('');
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

function convertEscapes(text: string, lineNumber: number): string {
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
        throw new MalformedProperties(
          lineNumber,
          `malformed escape \\u${digits}: four hex digits must follow \\u; write \\\\u for the characters themselves`,
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
