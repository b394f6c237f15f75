/** The proxy's way to a server, for one client. */
import { createConnection, type Socket } from 'node:net';
import type { Address } from '../base/address.ts';

const CONNECT_MS_MAX = 5_000;

export interface UpstreamOptions {
  readonly upstream: readonly Address[];
  /** For one server of the list. */
  readonly connectMsMax?: number;
}

/** Looks for a server that answers, from a place in the list of its own and once around. */
export class UpstreamAttempt {
  private readonly options: UpstreamOptions;
  private readonly first: number;
  private readonly settle: (server: Socket | null, index: number) => void;
  private tried = 0;
  private socket: Socket | null = null;
  private done = false;

  constructor(
    options: UpstreamOptions,
    first: number,
    settle: (server: Socket | null, index: number) => void,
  ) {
    this.options = options;
    this.first = first;
    this.settle = settle;
  }

  begin(onFailedAttempt: () => void): void {
    const { upstream, connectMsMax } = this.options;
    const index = (this.first + this.tried++) % upstream.length;
    const { host, port } = upstream[index]!;
    const socket = createConnection({ host, port, noDelay: true, allowHalfOpen: true });
    this.socket = socket;
    const tooLate = setTimeout(() => socket.destroy(), connectMsMax ?? CONNECT_MS_MAX);
    socket.on('error', () => {}); // `close` follows
    const onClose = (): void => {
      clearTimeout(tooLate);
      if (this.done) return;
      onFailedAttempt();
      if (this.tried < upstream.length) this.begin(onFailedAttempt);
      else this.finish(null, index);
    };
    socket.once('close', onClose);
    socket.once('connect', () => {
      clearTimeout(tooLate);
      socket.off('close', onClose);
      this.finish(socket, index);
    });
  }

  /** The client is gone, or the proxy stops. No effect on a connection that is joined. */
  cancel(): void {
    if (this.done) return;
    this.finish(null, 0);
    this.socket?.destroy();
  }

  private finish(server: Socket | null, index: number): void {
    this.done = true;
    this.settle(server, index);
  }
}
