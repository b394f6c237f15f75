/**
 * The quorum port of a leader, open for its term: each of this server's quorum addresses. Learners knock as soon as they know
 * whom they follow, five times in half a second, so it opens at once; a port that is still taken is tried again for as long. On
 * the thread of the core.
 */
import type { EventLoop } from '../../base/event-loop.ts';
import { BindFailure } from '../../base/failure.ts';
import type { AcceptedSocket, Listener, ListenPurpose, Transport } from '../../net/transport.ts';
import { type HostPort, isWildcard } from '../../wire/host-port.ts';

const TRIES = 5;
const PAUSE_MS = 100;
const PURPOSE: ListenPurpose = {
  who: 'learners',
  portKey: "quorum port in this server's line",
  addressKey: "the address in this server's line, or set quorumListenOnAllIPs=true",
};

export interface QuorumListenerOptions {
  readonly addresses: readonly HostPort[];
  /** Listens on every interface instead of those addresses. */
  readonly listenOnAllIps: boolean;
}

export class QuorumListener {
  private readonly platform: { readonly loop: EventLoop; readonly transport: Transport };
  private readonly onSocket: (socket: AcceptedSocket) => void;
  private readonly listeners: Listener[] = [];
  private isClosed = false;

  constructor(
    platform: { readonly loop: EventLoop; readonly transport: Transport },
    onSocket: (socket: AcceptedSocket) => void,
  ) {
    this.platform = platform;
    this.onSocket = onSocket;
  }

  /** @throws BindFailure when an address cannot be had */
  async open({ addresses, listenOnAllIps }: QuorumListenerOptions): Promise<void> {
    const places = listenOnAllIps
      ? [...new Set(addresses.map(({ port }) => port))].map((port) => ({ host: null, port }))
      : addresses.map(({ host, port }) => ({ host: isWildcard(host) ? null : host, port }));
    for (const { host, port } of places) await this.listen(host, port);
  }

  close(): void {
    this.isClosed = true;
    for (const listener of this.listeners) listener.close();
  }

  private async listen(address: string | null, port: number): Promise<void> {
    const listener = this.platform.transport.createListener(true, (socket) => {
      if (this.isClosed || socket.remoteAddress === undefined) socket.refuse();
      else this.onSocket(socket);
    });
    const options = { address, port, backlog: -1, reusePort: false, keepAlive: true, purpose: PURPOSE };
    for (let attempt = 1; !this.isClosed; attempt++) {
      try {
        await listener.listen(options);
        break;
      } catch (error) {
        if (!(error instanceof BindFailure) || attempt === TRIES) throw error;
        await new Promise<void>((resolve) => this.platform.loop.after(PAUSE_MS, resolve));
      }
    }
    if (this.isClosed) listener.close();
    else this.listeners.push(listener);
  }
}
