/**
 * Connections by id, a small array of slots per io thread, and how a connection ends: closed (nothing more is taken,
 * what has been answered still goes out), gone (the socket), and released, when nothing here refers to it any more.
 * The table outlives replicas: the io side still speaks of a connection whose replica has been replaced.
 */
import { CONN_IO_SHIFT, CONN_SLOT_MASK, type ConnId, type ReplySink } from '../ports/ports.ts';
import { type Client, ClientState } from './client.ts';
import { type ClientLimit, LimitEnds } from './limit-ends.ts';

export class ClientTable {
  count = 0;
  /** Connections ever accepted. */
  opened = 0;
  /** The ways back, by io thread. */
  readonly sinks: ReplySink[] = [];
  readonly limitEnds = new LimitEnds();
  private readonly byIo: (Client | undefined)[][] = [];

  /** One per io thread, before its first connection. */
  addSink(sink: ReplySink): void {
    this.sinks.push(sink);
  }

  /** True while replies cannot be taken by an io thread: give the core no more requests. */
  get isCongested(): boolean {
    for (const sink of this.sinks) if (sink.congested) return true;
    return false;
  }

  get(conn: ConnId): Client | undefined {
    return this.byIo[conn >>> CONN_IO_SHIFT]?.[conn & CONN_SLOT_MASK];
  }

  add(client: Client): void {
    const io = client.conn >>> CONN_IO_SHIFT;
    while (this.byIo.length <= io) this.byIo.push([]);
    this.byIo[io]![client.conn & CONN_SLOT_MASK] = client;
    this.count++;
    this.opened++;
  }

  *all(): IterableIterator<Client> {
    for (const slots of this.byIo) {
      for (const client of slots) if (client !== undefined) yield client;
    }
  }

  /** No more requests from this connection; what has been answered still goes out. */
  close(client: Client): void {
    if (client.state >= ClientState.closing && !client.closesBehindHeld) return;
    client.closesBehindHeld = false;
    client.state = ClientState.closing;
    client.queue.clear();
    client.dropHeld();
    client.sink.close(client.conn);
  }

  /** It has more of something than a client may: closes it, and counts why. */
  endAtLimit(client: Client, limit: ClientLimit): void {
    if (client.state < ClientState.closing) this.limitEnds.count(limit, client.address, client.session);
    this.close(client);
  }

  /** `close` for a slow client, once it has read what is held for it. */
  closeBehindHeld(client: Client): void {
    client.state = ClientState.closing;
    client.closesBehindHeld = true;
    client.queue.clear();
  }

  /** A connection that is gone: its slot is given back once nothing refers to it any more. */
  releaseIfDone(client: Client): void {
    if (client.proposals > 0 || client.isStreaming) return;
    this.byIo[client.conn >>> CONN_IO_SHIFT]![client.conn & CONN_SLOT_MASK] = undefined;
    this.count--;
    client.sink.release(client.conn);
  }

  /**
   * The replica that served them ends: all connections are closed, and whatever of it still referred to one does so no
   * more, so that each slot comes back as soon as its socket is gone.
   */
  letGo(): void {
    for (const client of this.all()) {
      client.session = -1;
      client.proposals = 0;
      client.isStreaming = false;
      client.isRestoring = false;
      if (client.state === ClientState.gone) this.releaseIfDone(client);
      else this.close(client);
    }
  }
}
