/**
 * The network as the ports of a server see it: listening, accepted and dialled sockets, bytes, ends. Production uses
 * Node's sockets (node-transport.ts), simulators their own network on virtual time. Everything is called on the thread of
 * the listener or of who dialled, and nothing here waits.
 *
 *     Listener ──▶ AcceptedSocket ──open──▶ SocketPort      what a connection asks of its socket
 *                       └─refuse─▶ gone     SocketHandler   what it is told
 *     dial ──▶ SocketPort ──onOpen──▶ the same
 *                  └─onDialFailed─▶ gone
 */
export interface Transport {
  /** `onSocket` is called for each socket accepted; it opens or refuses it before it returns. */
  createListener(keepAlive: boolean, onSocket: (socket: AcceptedSocket) => void): Listener;
  /**
   * Connects to another server; its name is resolved anew each time. Nothing is called before this returns, and until
   * `onOpen` only `destroy` may be asked for, which gives it up.
   */
  dial(options: DialOptions, buffer: ReadBuffer, handler: DialHandler): SocketPort;
}

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** For the name and the connection together. */
  readonly timeoutMs: number;
  readonly keepAlive: boolean;
}

export interface DialHandler extends SocketHandler {
  /** Connected. From now on it is as an accepted socket. */
  onOpen(): void;
  /** Instead of `onOpen` and `onClose`, exactly once; `why` is for people. */
  onDialFailed(why: string): void;
}

export interface ListenOptions {
  /** null = every interface, IPv6 and IPv4. */
  readonly address: string | null;
  /** 0 = the system chooses. */
  readonly port: number;
  /** -1 = the system's default. */
  readonly backlog: number;
  readonly reusePort: boolean;
  readonly keepAlive: boolean;
  /** For the message of a port that cannot be had; without it, the client port's. */
  readonly purpose?: ListenPurpose;
}

export interface ListenPurpose {
  /** Who is to connect: "clients". */
  readonly who: string;
  /** The keys of the configuration that say where to listen. */
  readonly portKey: string;
  readonly addressKey: string;
}

export interface Listener {
  /** Resolves with the bound port. @throws BindFailure saying what to change. */
  listen(options: ListenOptions): Promise<number>;
  /** Stops accepting; open sockets stay. */
  close(): void;
}

/** Nothing has been read of it. */
export interface AcceptedSocket {
  /** Undefined: the client was gone before we looked. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number;
  /** Takes it over: from now on bytes come into `buffer`. */
  open(buffer: ReadBuffer, handler: SocketHandler): SocketPort;
  refuse(): void;
}

export interface SocketPort {
  /**
   * Writes the first `length` bytes as far as the kernel takes them and returns how many; never while a `write` is
   * under way.
   */
  writeNow(bytes: Buffer, length: number): number;
  /** The kernel may read `bytes` until `done` is called; with an error when the connection broke. */
  write(bytes: Buffer, done?: (error?: Error | null) => void): void;
  /** Of a `write` under way: what the kernel has not taken yet. */
  readonly queuedBytes: number;
  /** What is written until `uncork` leaves in one gathering write. */
  cork(): void;
  uncork(): void;
  pause(): void;
  resume(): void;
  /** FIN after what is written. */
  end(): void;
  destroy(): void;
}

export interface SocketHandler {
  /** `[0, length)` of the read buffer, valid during the call. */
  onBytes(buffer: ReadBuffer, length: number): void;
  /** The client's FIN. */
  onEnd(): void;
  /** Exactly once, after whatever ended the connection. */
  onClose(): void;
}

/** As much as the event loop itself reads at a time. */
const READ_BYTES = 64 * 1024;

/** What the sockets of a thread read into; callbacks do not overlap. */
export class ReadBuffer {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly view: DataView = new DataView(this.bytes.buffer, this.bytes.byteOffset, READ_BYTES);
}
