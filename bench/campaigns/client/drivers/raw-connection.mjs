/** A session of one request on a bare socket. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connectFrame, getRequest, requestFrame } from '../../../session/frames.ts';

export async function connectRaw(address, path) {
  const [host, port] = address.split(':');
  const frame = requestFrame(1, getRequest(path));
  const buffer = Buffer.alloc(64 * 1024);
  let expected = 0;
  let received = 0;
  let resolve = () => undefined;
  const onRead = (count) => {
    if (received === 0) expected = buffer.readInt32BE(0) + 4;
    received += count;
    if (received < expected) return true;
    received = 0;
    resolve();
    return true;
  };
  const socket = connect({
    host,
    port: Number(port),
    noDelay: true,
    onread: { buffer, callback: onRead },
  });
  await once(socket, 'connect');
  const send = (bytes) =>
    new Promise((answered) => {
      resolve = answered;
      socket.write(bytes);
    });
  await send(connectFrame(30_000));
  return { get: () => send(frame), end: () => socket.destroy() };
}
