/**
 * The size limits of the protocol, which have to hold before anything is allocated. Pure, any thread.
 *
 * Apache knows one number, jute.maxbuffer, and derives two limits from it: a client's frame may have that many
 * bytes, and a single buffer or string, wherever it is read, that many plus jute.maxbuffer.extrasize. The second
 * is larger because a transaction carries more than the request it came from; it bounds a log record as well.
 */

/** Every frame, both ways: `i32 length`, then that many bytes. */
export const FRAME_PREFIX_BYTES = 4;

/** jute.maxbuffer: 1 MiB - 1. */
export const FRAME_BYTES_MAX_DEFAULT = 0xfffff;

/** What tools that read any stream believe: a longer frame means that the stream is not ZooKeeper's. */
export const FRAME_BYTES_SANE_MAX = 64 * 1024 * 1024;

const EXTRA_BYTES_MIN = 1024;
const INT32_MAX = 0x7fffffff;

/** The limit of one buffer, string or log record; `extraBytes` defaults to the frame limit, as in Apache. */
export function fieldBytesMax(frameBytesMax: number, extraBytes: number = frameBytesMax): number {
  return Math.min(frameBytesMax + Math.max(extraBytes, EXTRA_BYTES_MIN), INT32_MAX);
}

export const PORT_MAX = 65_535;
