/** Four-letter words: one connection per question, the answer ends with the connection. */
import { createConnection } from 'node:net';
import type { Address } from '../base/address.ts';

/** The longest wanted answer is mntr of a large server, some 40 kB; more is somebody else's protocol. */
const ANSWER_BYTES_MAX = 1024 * 1024;
const NOT_ALLOWED = 'is not executed because it is not in the whitelist';

/** Null when the server does not answer within `withinMs`, refuses the word, or says more than anyone would. */
export function askWord(address: Address, word: string, withinMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let byteCount = 0;
    const socket = createConnection({ host: address.host, port: address.port, noDelay: true });
    const deadline = setTimeout(() => settle(null), withinMs);
    const settle = (answer: string | null): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(answer === null || answer === '' || answer.includes(NOT_ALLOWED) ? null : answer);
    };
    socket.on('connect', () => socket.write(word));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      byteCount += chunk.length;
      if (byteCount > ANSWER_BYTES_MAX) settle(null);
    });
    socket.on('end', () => settle(Buffer.concat(chunks).toString('utf8')));
    // Some servers reset the connection behind a whole answer; without any the result is null all the same.
    socket.on('error', () => settle(Buffer.concat(chunks).toString('utf8')));
  });
}
