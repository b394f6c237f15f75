/** A client's whole life as data, what it must receive, and how to play it against a server. */

import { turns, until } from '../../../net/support/net-harness.ts';
import { framed, TestSocket } from '../../../net/support/test-socket.ts';
import { CLOSE, ECHO, LARGE, type LATER } from './fake-core.ts';

export interface ScriptStep {
  readonly kind: typeof ECHO | typeof LARGE | typeof LATER;
  readonly length: number;
}

export interface Script {
  readonly steps: readonly ScriptStep[];
  /** The stream is cut into segments of about this size. */
  readonly segmentBytes: number;
  /** Reads nothing until everything is sent. */
  readonly lazy: boolean;
}

function requests(script: Script): Buffer[] {
  const payloads = script.steps.map(({ kind, length }, i) => {
    if (kind !== LARGE) return Buffer.alloc(1 + length, i & 0xff).fill(kind, 0, 1);
    const payload = Buffer.alloc(5);
    payload[0] = LARGE;
    payload.writeInt32BE(length, 1);
    return payload;
  });
  return [Buffer.of(ECHO), ...payloads, Buffer.of(CLOSE)];
}

/** What an undisturbed client receives. */
export function expectedReplies(script: Script): Buffer {
  const replies = requests(script).map((payload) => {
    if (payload[0] !== LARGE) return framed(payload);
    const length = payload.readInt32BE(1);
    return framed(Buffer.alloc(length, length));
  });
  return Buffer.concat(replies);
}

/** Plays the script; resolves with everything received until the server closed. */
export async function play(port: number, script: Script): Promise<Buffer> {
  const client = await TestSocket.open(port, false);
  const chunks: Buffer[] = [];
  const read = (): void => {
    client.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  };
  if (!script.lazy) read();
  const stream = Buffer.concat(requests(script).map(framed));
  for (let at = 0; at < stream.length; at += script.segmentBytes) {
    client.write(stream.subarray(at, at + script.segmentBytes));
    if ((at / script.segmentBytes) % 8 === 0) await turns(1);
  }
  if (script.lazy) read();
  await until(() => client.ended);
  client.destroy();
  return Buffer.concat(chunks);
}
