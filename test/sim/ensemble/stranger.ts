/** Somebody who reaches a port for other servers and says what no server says. */
import { encodeInitialMessage } from '../../../src/wire/election-notification.ts';
import { packetBytes } from '../../wire/quorum/packets.ts';
import { ELECTION_PORT, QUORUM_PORT } from './draw-ensemble.ts';
import { type DiallingSocket, PeerConnection, type PeerNetwork } from './peer-network.ts';

const STRANGER = 'stranger';
const DIAL_MS = 500;

export class Stranger implements DiallingSocket {
  readonly hasUnread = false;
  isWaiting = true;
  private readonly network: PeerNetwork;
  private readonly connection: PeerConnection;
  private readonly port: number;

  constructor(network: PeerNetwork, target: string) {
    const host = network.hosts.get(STRANGER) ?? network.host(STRANGER);
    this.network = network;
    this.port = network.world.prng.pick([ELECTION_PORT, QUORUM_PORT]);
    const options = { host: target, port: this.port, timeoutMs: DIAL_MS, keepAlive: false };
    this.connection = new PeerConnection(network, host, options);
    this.connection.begin(this);
  }

  connected(): void {
    this.isWaiting = false;
    const { toClient } = this.connection.ends[0];
    toClient.send(this.words());
    const { prng } = this.network.world;
    // Or it stays, and says nothing more.
    if (prng.chance(0.6)) toClient.send(prng.pick(['fin', 'reset']));
  }

  failed(): void {
    this.isWaiting = false;
  }

  arrived(): void {}

  private words(): Uint8Array {
    const { prng } = this.network.world;
    const noise = Uint8Array.from({ length: 1 + prng.below(60) }, () => prng.below(256));
    if (prng.chance(0.4)) return noise;
    // One who knows how it begins: a server that nobody names, a packet of any type, and then noise in frames.
    const greeting =
      this.port === ELECTION_PORT
        ? encodeInitialMessage(50 + prng.below(20), [{ host: 'nowhere', port: 1 }], 'V1')
        : packetBytes(prng.below(20), prng.below(1000), noise);
    return Buffer.concat([greeting, noise]);
  }
}
