/**
 * A connection table that counts what stops its connections. `net` only knows that a connection has to wait; which of
 * the three bounds it has met is a question for those who size them.
 */
import type { ClientConnection } from '../../net/client-connection.ts';
import { ConnectionTable } from '../../net/connection-table.ts';

export class CountingTable extends ConnectionTable {
  /** The connection's own window was full. */
  pausesWindow = 0;
  /** All connections together had `globalOutstandingLimit` requests in flight. */
  pausesOutstanding = 0;
  /** The ring to the core had no room. */
  pausesRing = 0;

  override onStopped(connection: ClientConnection): void {
    super.onStopped(connection);
    if (this.quiescing) return;
    if (!connection.window.isOpen) this.pausesWindow++;
    else if (this.outstanding >= this.limits.outstandingMax) this.pausesOutstanding++;
    else this.pausesRing++;
  }
}
