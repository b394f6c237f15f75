/**
 * Reads the captured streams of test/fixtures/apache-3.8.0/quorum-stream: `# …` annotations, then one message a line,
 * `> seconds hex` of who dialled and `< seconds hex` of who listened.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../fixtures/apache-3.8.0/quorum-stream');

export interface CapturedMessage {
  readonly direction: '>' | '<';
  readonly bytes: Buffer;
  /** The annotation above it. */
  readonly note: string;
}

/** One TCP connection, from its start. */
export interface CapturedConnection {
  readonly file: string;
  readonly messages: CapturedMessage[];
}

/** Files whose name begins with one of `prefixes`; a line `# connection …` begins another connection. */
export function capturedConnections(...prefixes: readonly string[]): CapturedConnection[] {
  const connections: CapturedConnection[] = [];
  const names = readdirSync(FOLDER).filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
  for (const file of names.sort()) {
    let current: CapturedConnection = { file, messages: [] };
    let note = '';
    const lines = readFileSync(join(FOLDER, file), 'utf8').split('\n');
    connections.push(current);
    for (const line of lines) {
      if (line.startsWith('# connection to')) {
        current = { file, messages: [] };
        connections.push(current);
      } else if (line.startsWith('#')) {
        note = line.slice(2);
      } else if (line !== '') {
        const [direction, , hex] = line.split(' ');
        current.messages.push({
          direction: direction as '>' | '<',
          bytes: Buffer.from(hex!, 'hex'),
          note,
        });
      }
    }
  }
  return connections.filter(({ messages }) => messages.length > 0);
}
