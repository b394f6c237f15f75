/**
 * The frames of a connection, whatever the pieces in which they come: small frames come whole, until a process is so late
 * that a buffer's worth of them waits.
 */
import { FrameSplitter } from '../../../src/wire/framing.ts';

export const EVENT_XID = -1;
export const PING_XID = -2;
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** Takes bytes, and hands on the xid of each frame with the whole of it. Not for the first frame each way, which has none. */
export function splitFrames(onFrame: (xid: number, frame: Uint8Array) => void): (bytes: Uint8Array) => void {
  const splitter = new FrameSplitter(FRAME_BYTES_MAX, {
    onFrame: (bytes, view, start, end) => {
      const frame = new Uint8Array(4 + end - start);
      new DataView(frame.buffer).setInt32(0, end - start);
      frame.set(bytes.subarray(start, end), 4);
      onFrame(view.getInt32(start), frame);
      return true;
    },
  });
  return (bytes) => void splitter.push(bytes);
}
