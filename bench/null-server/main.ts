/**
 * A server that does nothing: it parses requests and answers each with a fixed reply, on one thread. What the
 * generator reaches against it is the ceiling of generator, sockets and kernel; a real server's figure near that
 * ceiling says nothing about the server. With a delay it is a service whose latency is known, to check the meter.
 *
 *     node bench/null-server/main.ts --value-bytes 1024 --delay-ms 0
 *     stdout: ready port=N mode=null threading=single pid=N
 */
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { DelayQueue } from './delay-queue.ts';
import { FixedReplies } from './fixed-replies.ts';
import { NullConnection } from './null-connection.ts';

const { values } = parseArgs({
  options: {
    'value-bytes': { type: 'string', default: '1024' },
    'delay-ms': { type: 'string', default: '0' },
  },
});
const delayMs = Number(values['delay-ms']);
const replies = new FixedReplies(Number(values['value-bytes']));
const delays = delayMs > 0 ? new DelayQueue(delayMs) : null;
const counts = { received: 0, sent: 0, connections: 0 };

const server = createServer({ noDelay: true }, (socket) => {
  new NullConnection(socket, replies, counts, delays);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.stdout.write(`ready port=${port} mode=null threading=single pid=${process.pid}\n`);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
