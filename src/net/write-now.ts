/**
 * Writing to a socket past its stream: one write(2) on the descriptor, in the same call. A stream's own way (a request
 * object, a promise of a callback, the turn it comes in) costs several times as much as the copy into the kernel.
 *
 * Node has no name for this. It is a plain write on a descriptor that the socket owns; what the kernel does not take
 * is the caller's to hand to the stream, which waits for room. Only for TCP without TLS.
 */
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';

/** What is used of Node's handle, which its types do not show. */
interface HandleOwner {
  /** Null once the socket is destroyed: its descriptor's number may be somebody else's by then. */
  readonly _handle: { readonly fd: number } | null;
}

/**
 * Writes the first `length` bytes as far as the kernel takes them and returns how many: 0 also when the connection is
 * broken, which the next `write` will find out. Only while the stream has nothing of its own to write.
 */
export function writeNow(socket: Socket, bytes: Uint8Array, length: number): number {
  const handle = (socket as unknown as HandleOwner)._handle;
  if (handle === null || !(handle.fd >= 0)) return 0; // no integers everywhere
  try {
    return writeSync(handle.fd, bytes, 0, length);
  } catch {
    return 0;
  }
}
