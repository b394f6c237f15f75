/** Asks a server on the loopback interface a four-letter word and gives its whole answer. */
import { connect } from 'node:net';

const ANSWER_TIMEOUT_MS = 10_000;

export function fourLetterWord(port: number, word: string, timeoutMs = ANSWER_TIMEOUT_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    const chunks: Buffer[] = [];
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer to ${word}`)));
    socket.once('connect', () => socket.write(word));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}
