/**
 * Joins the replies to one chunk of requests into few writes. Buffers come back when the kernel has them; one
 * output per connection.
 */
const BUFFER_BYTES = 512 * 1024;

/** Takes written bytes; calls `release` when it needs them no more. */
export type Deliver = (bytes: Uint8Array, release: () => void) => void;

interface ReplyBuffer {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly release: () => void;
}

/** As many as were ever in flight at once, for all connections; callbacks of one thread never overlap. */
const free: ReplyBuffer[] = [];

export class ReplyOutput {
  /** What `claim` gave room in; both change with every claim. */
  bytes!: Buffer;
  view!: DataView;
  private readonly deliver: Deliver;
  private buffer: ReplyBuffer | null = null;
  private end = 0;

  constructor(deliver: Deliver) {
    this.deliver = deliver;
  }

  /** Room for `length` bytes at the returned offset. */
  claim(length: number): number {
    if (this.buffer === null || this.end + length > this.buffer.bytes.length) this.renew(length);
    const at = this.end;
    this.end += length;
    return at;
  }

  send(): void {
    const { buffer } = this;
    if (buffer === null) return;
    this.buffer = null;
    this.deliver(buffer.bytes.subarray(0, this.end), buffer.release);
    this.end = 0;
  }

  private renew(length: number): void {
    this.send();
    const buffer = length > BUFFER_BYTES ? makeBuffer(length) : (free.pop() ?? makeBuffer(BUFFER_BYTES));
    this.buffer = buffer;
    this.bytes = buffer.bytes;
    this.view = buffer.view;
  }
}

function makeBuffer(length: number): ReplyBuffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  const buffer: ReplyBuffer = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    // Oversized ones are rare and go to the collector.
    release: () => void (length === BUFFER_BYTES && free.push(buffer)),
  };
  return buffer;
}
