/** Connections by id: a small array of slots per io thread. */
import { CONN_IO_SHIFT, CONN_SLOT_MASK, type ConnId } from '../ports/ports.ts';
import type { Client } from './client.ts';

export class ClientTable {
  count = 0;
  /** Connections ever accepted. */
  opened = 0;
  private readonly byIo: (Client | undefined)[][] = [];

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

  remove(conn: ConnId): void {
    this.byIo[conn >>> CONN_IO_SHIFT]![conn & CONN_SLOT_MASK] = undefined;
    this.count--;
  }

  *all(): IterableIterator<Client> {
    for (const slots of this.byIo) {
      for (const client of slots) if (client !== undefined) yield client;
    }
  }
}
