/**
 * The socket of a process that dials: as an accepted one, once it is open.
 *
 *     waiting ──connected──▶ told in the next poll ──▶ open          waiting ──failed──▶ told in the next poll, gone
 */
import type { DialHandler, ReadBuffer } from '../../../src/net/transport.ts';
import { type KernelConnection, ServerSocket } from '../server-socket.ts';
import type { SimLoop } from '../sim-loop.ts';

export class DialledSocket extends ServerSocket {
  private state: 'waiting' | 'connected' | 'failed' | 'open' | 'gone' = 'waiting';
  private dialHandler: DialHandler | null = null;
  private why = '';

  constructor(connection: KernelConnection, loop: SimLoop) {
    super(connection, loop, undefined);
  }

  begin(buffer: ReadBuffer, handler: DialHandler): void {
    this.dialHandler = handler;
    this.open(buffer, handler);
  }

  get isWaiting(): boolean {
    return this.state === 'waiting';
  }

  connected(): void {
    if (this.state === 'waiting') this.state = 'connected';
  }

  failed(why: string): void {
    if (this.state !== 'waiting') return;
    this.state = 'failed';
    this.why = why;
  }

  override destroy(): void {
    const { state } = this;
    if (state === 'gone') return;
    if (state === 'open') {
      super.destroy();
      return;
    }
    this.state = 'gone';
    this.loop.unwatch(this);
    // The other side may have it already.
    this.connection.toClient.send('fin');
  }

  override isReady(): boolean {
    if (this.state === 'open') return super.isReady();
    return this.state === 'connected' || this.state === 'failed';
  }

  override poll(): void {
    if (this.state === 'connected') {
      this.state = 'open';
      this.dialHandler!.onOpen();
    } else if (this.state === 'failed') {
      this.state = 'gone';
      this.loop.unwatch(this);
      this.dialHandler!.onDialFailed(this.why);
    } else if (this.state === 'open') super.poll();
  }
}
