/**
 * What the servers of an ensemble say, in one terminal: each line behind the number of its server, in a colour of its own on a
 * terminal. Our servers write JSON where nobody reads along; here somebody does.
 *
 *     2 | 12:00:00.000 WARN  no longer with this leader: ...
 */
import { styleText } from 'node:util';
import { prettyFactory } from 'pino-pretty';

const COLOURS = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'red'] as const;
/** The ready line of our servers, which the command says for all of them; what Apache's logger says of itself. */
const NOISE = /^(?:ready port=|SLF4J: )/;
/** Below the exceptions that Apache warns of whenever it does not reach another server. */
const STACK_LINE = /^\s+(?:at |\.\.\. \d+ more)/;

export class EnsembleLines {
  private readonly hasColours: boolean;
  private readonly hasStacks: boolean;
  private readonly width: number;
  private readonly prettify: (line: string) => string | undefined;

  constructor(serverCount: number, hasColours: boolean, hasStacks: boolean) {
    this.hasStacks = hasStacks;
    this.hasColours = hasColours;
    this.width = String(serverCount).length;
    this.prettify = prettyFactory({
      colorize: hasColours,
      translateTime: 'SYS:HH:MM:ss.l',
      singleLine: true,
    });
  }

  /** With its end of line; null for what need not be seen. */
  of(sid: number, line: string): string | null {
    if (line === '' || NOISE.test(line) || (!this.hasStacks && STACK_LINE.test(line))) return null;
    const text = line.startsWith('{') ? this.prettify(line)?.trimEnd() : line;
    return `${this.prefix(sid)}${text ?? line}\n`;
  }

  private prefix(sid: number): string {
    const text = `${String(sid).padStart(this.width)} | `;
    if (!this.hasColours) return text;
    return styleText(COLOURS[(sid - 1) % COLOURS.length]!, text, { validateStream: false });
  }
}
