/** What the null server counts, and how it says it by four-letter words, in the format of ZooKeeper's servers. */
export interface PacketCounts {
  /** Frames of sessions, connect requests and pings included; words are not counted. */
  received: number;
  sent: number;
  connections: number;
}

const VERSION = 'null server of ringkeeper bench';

/** Empty for words that it does not know. */
export function wordAnswer(word: string, { received, sent, connections }: PacketCounts): string {
  switch (word) {
    case 'ruok':
      return 'imok';
    case 'srvr':
      return (
        `Zookeeper version: ${VERSION}\nLatency min/avg/max: 0/0.0/0\nReceived: ${received}\nSent: ${sent}\n` +
        `Connections: ${connections}\nOutstanding: 0\nZxid: 0x0\nMode: standalone\nNode count: 0\n`
      );
    case 'mntr':
      return (
        `zk_version\t${VERSION}\nzk_server_state\tstandalone\nzk_packets_received\t${received}\n` +
        `zk_packets_sent\t${sent}\nzk_num_alive_connections\t${connections}\nzk_outstanding_requests\t0\nzk_znode_count\t0\n`
      );
    default:
      return '';
  }
}
