/**
 * One client and its server, joined: bytes, half-closes and ends pass in both directions as they came. A chunk is
 * passed on first and recorded then. A side that takes no more stops the other side's reading, and `hold` stops both,
 * so at most one read and one socket buffer wait in each direction.
 *
 *     client --data--> toServer --write--> server          reading stops while the target's buffer is full,
 *     client <--write-- toClient <--data-- server          or while the recorder has no room (hold)
 */
import type { Socket } from 'node:net';
import type { ClosedBy } from './recording-format.ts';

/** Sees each chunk after it was passed on; the bytes are valid during the call. */
export type Tap = (chunk: Uint8Array, arrivedMs: number) => void;

export class ProxiedConnection {
  private readonly client: Socket;
  private readonly server: Socket;
  private readonly toServer: Pump;
  private readonly toClient: Pump;
  private readonly onClosed: (by: ClosedBy) => void;
  private endedBy: ClosedBy | null = null;
  private openSockets = 2;

  /** Both sockets are connected, half-open and not read yet; `onClosed` comes once, when both are closed. */
  constructor(
    client: Socket,
    server: Socket,
    taps: { readonly fromClient: Tap; readonly fromServer: Tap },
    onClosed: (by: ClosedBy) => void,
  ) {
    this.client = client;
    this.server = server;
    this.onClosed = onClosed;
    this.toServer = new Pump(client, server, taps.fromClient);
    this.toClient = new Pump(server, client, taps.fromServer);
    this.watch(client, server, 'client');
    this.watch(server, client, 'server');
  }

  /** Begins to read, unless held. */
  start(held: boolean): void {
    this.toServer.setHeld(held);
    this.toClient.setHeld(held);
  }

  hold(): void {
    this.start(true);
  }

  release(): void {
    this.start(false);
  }

  /** Ends it from the middle. */
  destroy(): void {
    this.endedBy ??= 'proxy';
    this.client.destroy();
    this.server.destroy();
  }

  private watch(socket: Socket, other: Socket, side: ClosedBy): void {
    socket.on('end', () => {
      this.endedBy ??= side;
      other.end();
    });
    // A reset is an end like any other: `close` follows.
    socket.on('error', () => {
      this.endedBy ??= side;
    });
    socket.on('close', () => {
      this.endedBy ??= side;
      // What was passed on before still goes out; nothing can be answered any more.
      other.destroySoon();
      this.openSockets--;
      if (this.openSockets === 0) this.onClosed(this.endedBy);
    });
  }
}

/** One direction. */
class Pump {
  private readonly source: Socket;
  private targetFull = false;
  private held = true;

  constructor(source: Socket, target: Socket, tap: Tap) {
    this.source = source;
    source.on('data', (chunk: Buffer) => {
      const arrivedMs = performance.now();
      if (target.writable && !target.write(chunk)) {
        this.targetFull = true;
        this.apply();
      }
      tap(chunk, arrivedMs);
    });
    target.on('drain', () => {
      this.targetFull = false;
      this.apply();
    });
  }

  setHeld(held: boolean): void {
    this.held = held;
    this.apply();
  }

  private apply(): void {
    if (this.targetFull || this.held) this.source.pause();
    else this.source.resume();
  }
}
