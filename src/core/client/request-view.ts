/**
 * One request on its way through the core: who asks, what, and where its bytes lie. Reused for request after request,
 * so nobody may keep it or its buffers beyond the call; whoever has to, copies (`FrameQueue`, a large reply). Core
 * thread; filled by `RequestOrder`, and by the committer with what a proposal remembers of the request it answers.
 */
import type { Client } from './client.ts';
import { Frame } from './frame.ts';
import type { WriteRequest } from './write-request.ts';

export class RequestView extends Frame implements WriteRequest {
  client!: Client;

  get origin(): Client {
    return this.client;
  }

  get asker(): Client {
    return this.client;
  }

  /** What a reply needs of a request whose bytes are gone. */
  recall(client: Client, xid: number, op: number, receivedMs: number): void {
    this.client = client;
    this.xid = xid;
    this.op = op;
    this.receivedMs = receivedMs;
  }
}
