/**
 * Connections of a learner that wait for the leader's word on their session, oldest first; one each, so there are never more
 * than connections. Core thread.
 */
import { type Client, ClientState } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import type { ServerRole } from '../progress/commit-point.ts';

interface Revalidation {
  readonly client: Client;
  readonly idHigh: number;
  readonly idLow: number;
  readonly timeoutMs: number;
}

export class Revalidations {
  private readonly role: ServerRole;
  private readonly clients: ClientTable;
  private readonly asked: Revalidation[] = [];

  constructor(role: ServerRole, clients: ClientTable) {
    this.role = role;
    this.clients = clients;
  }

  /** Only while there is a leader. */
  ask(client: Client, idHigh: number, idLow: number, timeoutMs: number): void {
    // Its slot is not given to another connection before the answer has come.
    client.proposals++;
    this.asked.push({ client, idHigh, idLow, timeoutMs });
    this.role.leader!.revalidate(idHigh, idLow, timeoutMs);
  }

  /** Who has asked first about this session; null: nobody. */
  take(idHigh: number, idLow: number): Revalidation | null {
    const at = this.asked.findIndex((one) => one.idHigh === idHigh && one.idLow === idLow);
    if (at < 0) return null;
    const taken = this.asked.splice(at, 1)[0]!;
    this.letGo(taken.client);
    return taken;
  }

  /** The leader is gone: nobody will answer. */
  abandon(): void {
    for (const { client } of this.asked.splice(0)) this.letGo(client);
  }

  private letGo(client: Client): void {
    client.proposals--;
    if (client.state === ClientState.gone) this.clients.releaseIfDone(client);
  }
}
