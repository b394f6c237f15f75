/**
 * A TCP proxy that clients are pointed at instead of their servers; it passes everything on and writes what it saw
 * to a recording. One event loop does all of it. Clients come first: a chunk is passed on before it is looked at, a
 * disk that is slow makes clients wait but loses nothing, and a disk that is full ends the recording, not the clients.
 *
 *     accepted --a server of the list answers--> joined --both sides closed--> recorded as closed
 *         `------ none does --> closed at once, counted as unreachable
 */
import { createServer, type Server, type Socket } from 'node:net';
import { BindFailure, ConfigFailure } from '../../src/base/failure.ts';
import { type Address, addressText } from '../base/address.ts';
import { ConnectionRecorder, type RecordingCounts, type RecordingLog } from './connection-recorder.ts';
import { CredentialGuard } from './credentials.ts';
import { ProxiedConnection } from './proxied-connection.ts';
import { encodeHeader, RECORDING_VERSION, type RecordingRecord } from './recording-format.ts';
import { createFileSink, type RecordingSink, RecordingWriter } from './recording-writer.ts';
import { UpstreamAttempt } from './upstream-attempt.ts';

const QUEUE_BYTES_MAX = 16 * 1024 * 1024;
const UPSTREAMS_MAX = 1_000;

export interface RecordingProxyOptions {
  /** Port 0: the system chooses. */
  readonly listen: Address;
  /** Each connection starts with the next one and tries all. */
  readonly upstream: readonly Address[];
  /** A new file. */
  readonly outFile: string;
  /** Record passwords and session ids as they are (credentials.ts). */
  readonly keepCredentials?: boolean;
  /** Records that wait for the disk, in bytes; above it nothing is read from the network. */
  readonly queueBytesMax?: number;
  /** For one server of the list. */
  readonly connectMsMax?: number;
  /** In place of the file. */
  readonly sink?: RecordingSink;
  /** The recording ended early, and why; the proxy goes on. */
  readonly onFailure?: (message: string) => void;
}

export interface ProxyCounts extends RecordingCounts {
  /** Connections so far. */
  connections: number;
  openConnections: number;
  /** Connections for which no server of the list could be reached. */
  unreachable: number;
  /** Failed attempts to reach a server. */
  failedAttempts: number;
  /** Connections that could not be accepted: no descriptors left. */
  failedAccepts: number;
}

export interface RecordingSummary {
  readonly file: string;
  readonly counts: Readonly<ProxyCounts>;
  readonly records: number;
  /** Records that a failed disk cost. */
  readonly recordsLost: number;
  readonly fileBytes: number;
  /** The most that ever waited for the disk. */
  readonly queuedBytesPeak: number;
  readonly durationMs: number;
  /** Why the recording ended early; null when it is whole. */
  readonly failure: string | null;
}

export interface RecordingProxy {
  readonly address: Address;
  readonly counts: Readonly<ProxyCounts>;
  /** Why nothing is recorded any more. */
  readonly failure: string | null;
  /** Bytes that wait for the disk. */
  readonly queuedBytes: number;
  /** Closes all connections and the file. */
  stop(): Promise<RecordingSummary>;
}

/**
 * @throws ConfigFailure for a file that exists or an empty list of servers.
 * @throws BindFailure when it cannot listen.
 */
export async function startRecordingProxy(options: RecordingProxyOptions): Promise<RecordingProxy> {
  const { upstream } = options;
  if (upstream.length === 0 || upstream.length > UPSTREAMS_MAX) {
    throw new ConfigFailure(`--upstream: ${upstream.length} servers - allowed: 1 to ${UPSTREAMS_MAX}`);
  }
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  // The port is taken before the file is made, so that a wrong port leaves no file behind.
  const early: Socket[] = [];
  const onEarly = (socket: Socket): number => early.push(socket);
  server.on('connection', onEarly);
  await listen(server, options.listen);
  try {
    const sink = options.sink ?? (await createFileSink(options.outFile));
    server.off('connection', onEarly);
    return new ProxyServer(options, server, sink, early);
  } catch (error) {
    for (const socket of early) socket.destroy();
    server.close();
    throw error;
  }
}

class ProxyServer implements RecordingProxy {
  readonly address: Address;
  readonly counts: ProxyCounts = {
    connections: 0,
    openConnections: 0,
    unreachable: 0,
    failedAttempts: 0,
    failedAccepts: 0,
    requests: 0,
    replies: 0,
    events: 0,
    words: 0,
    malformed: 0,
  };
  private readonly options: RecordingProxyOptions;
  private readonly server: Server;
  private readonly writer: RecordingWriter;
  private readonly log: RecordingLog;
  private readonly startMs = performance.now();
  private readonly joined = new Set<ProxiedConnection>();
  /** Sockets that are not joined yet. */
  private readonly unjoined = new Set<Socket>();
  private stopping: Promise<RecordingSummary> | null = null;
  private onAllClosed: (() => void) | null = null;

  constructor(options: RecordingProxyOptions, server: Server, sink: RecordingSink, early: readonly Socket[]) {
    this.options = options;
    this.server = server;
    this.address = { host: options.listen.host, port: (server.address() as { port: number }).port };
    this.writer = new RecordingWriter(sink, options.queueBytesMax ?? QUEUE_BYTES_MAX, {
      onRoom: () => this.onRoom(),
      onFailure: (error) => options.onFailure?.(failureText(options.outFile, error)),
    });
    const guard = new CredentialGuard(options.keepCredentials ?? false);
    this.log = { guard, counts: this.counts, append: (record) => this.append(record) };
    this.writer.appendRaw(
      encodeHeader({
        version: RECORDING_VERSION,
        credentialsKept: options.keepCredentials ?? false,
        startedAtMs: Date.now(),
        upstreams: options.upstream.map(addressText),
      }),
    );
    server.on('connection', (socket) => this.onConnection(socket));
    for (const socket of early) this.onConnection(socket);
    // The client sees it and retries; the others go on.
    server.on('error', () => this.counts.failedAccepts++);
  }

  get failure(): string | null {
    const { failure } = this.writer;
    return failure === null ? null : failureText(this.options.outFile, failure);
  }

  get queuedBytes(): number {
    return this.writer.queuedBytes;
  }

  stop(): Promise<RecordingSummary> {
    this.stopping ??= this.finish();
    return this.stopping;
  }

  private async finish(): Promise<RecordingSummary> {
    this.server.close();
    const allClosed = new Promise<void>((resolve) => {
      this.onAllClosed = resolve;
    });
    for (const socket of this.unjoined) socket.destroy();
    for (const connection of this.joined) connection.destroy();
    this.settleIfClosed();
    await allClosed;
    const { records } = this.writer;
    this.writer.append({ kind: 'end', connection: 0, timeUs: this.us(performance.now()), records });
    await this.writer.close();
    return {
      file: this.options.outFile,
      counts: { ...this.counts },
      records,
      recordsLost: this.writer.recordsRefused,
      fileBytes: this.writer.bytesWritten,
      queuedBytesPeak: this.writer.queuedBytesPeak,
      durationMs: performance.now() - this.startMs,
      failure: this.failure,
    };
  }

  private onConnection(client: Socket): void {
    if (this.stopping !== null) {
      client.destroy();
      return;
    }
    this.counts.openConnections++;
    const number = ++this.counts.connections;
    const recorder = new ConnectionRecorder(this.log, number);
    const attempt = new UpstreamAttempt(this.options, number - 1, (server, index) => {
      this.unjoined.delete(client);
      if (server === null) this.onUnreachable(client, recorder);
      else this.join(client, server, index, recorder);
    });
    client.on('error', () => {}); // `close` follows, here or in the joined connection
    client.once('close', () => attempt.cancel());
    this.unjoined.add(client);
    attempt.begin(() => this.counts.failedAttempts++);
  }

  private join(client: Socket, server: Socket, index: number, recorder: ConnectionRecorder): void {
    recorder.opened(index, this.us(performance.now()));
    const connection = new ProxiedConnection(
      client,
      server,
      {
        fromClient: (chunk, arrivedMs) => recorder.onClientBytes(chunk, this.us(arrivedMs)),
        fromServer: (chunk, arrivedMs) => recorder.onServerBytes(chunk, this.us(arrivedMs)),
      },
      (by) => {
        recorder.closed(by, this.us(performance.now()));
        this.joined.delete(connection);
        this.onConnectionEnd();
      },
    );
    this.joined.add(connection);
    connection.start(this.writer.full);
  }

  private onUnreachable(client: Socket, recorder: ConnectionRecorder): void {
    if (this.stopping === null) this.counts.unreachable++;
    client.destroy();
    const timeUs = this.us(performance.now());
    recorder.opened(null, timeUs);
    recorder.closed('proxy', timeUs);
    this.onConnectionEnd();
  }

  private onConnectionEnd(): void {
    this.counts.openConnections--;
    this.settleIfClosed();
  }

  private settleIfClosed(): void {
    if (this.counts.openConnections === 0) this.onAllClosed?.();
  }

  private append(record: RecordingRecord): void {
    const hadRoom = !this.writer.full;
    this.writer.append(record);
    if (hadRoom && this.writer.full) for (const connection of this.joined) connection.hold();
  }

  private onRoom(): void {
    for (const connection of this.joined) connection.release();
  }

  private us(atMs: number): number {
    return Math.round((atMs - this.startMs) * 1000);
  }
}

function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      const where = addressText({ host, port });
      reject(
        new BindFailure(`--listen: ${where}: ${error.message} - choose an address and port that is free`),
      );
    };
    server.once('error', onError);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

function failureText(file: string, error: Error): string {
  return `${file}: the recording ended early: ${error.message}`;
}
