/** Somebody who reaches an election port and says what no server says. */
import { ReadBuffer, type SocketPort } from '../../../src/net/transport.ts';
import { encodeInitialMessage } from '../../../src/wire/election-notification.ts';
import type { ElectionNetwork, Host } from './network.ts';

export class Stranger implements Host {
  readonly name = 'stranger';
  readonly isAlive = true;
  private readonly network: ElectionNetwork;
  private readonly target: { readonly host: string; readonly port: number };
  private socket: SocketPort | null = null;

  constructor(network: ElectionNetwork, host: string, port: number) {
    this.network = network;
    this.target = { host, port };
  }

  run(callback: () => void): void {
    this.network.world.after(0, callback);
  }
  alter(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  speak(): void {
    const nothing = (): void => {};
    this.socket = this.network
      .transportOf(this)
      .dial({ ...this.target, timeoutMs: 500, keepAlive: false }, new ReadBuffer(), {
        onOpen: () => this.socket!.write(Buffer.from(this.words())),
        onBytes: nothing,
        onEnd: nothing,
        onClose: nothing,
        onDialFailed: nothing,
      });
  }

  private words(): Uint8Array {
    const { prng } = this.network.world;
    const noise = Uint8Array.from({ length: 1 + prng.below(60) }, () => prng.below(256));
    if (prng.chance(0.4)) return noise;
    // One who knows how it begins: a server that nobody names, and then noise in frames.
    const greeting = encodeInitialMessage(50 + prng.below(20), [{ host: 'nowhere', port: 1 }], 'V1');
    return Buffer.concat([greeting, noise]);
  }
}
