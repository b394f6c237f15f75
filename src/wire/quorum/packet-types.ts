/**
 * The numbers of the quorum protocol: what a learner and its master (the leader, or a follower that serves observers) say to
 * each other. Pure, any thread.
 */

export const PacketType = {
  request: 1,
  proposal: 2,
  ack: 3,
  commit: 4,
  ping: 5,
  revalidate: 6,
  sync: 7,
  inform: 8,
  commitAndActivate: 9,
  newLeader: 10,
  followerInfo: 11,
  upToDate: 12,
  diff: 13,
  trunc: 14,
  snap: 15,
  observerInfo: 16,
  leaderInfo: 17,
  ackEpoch: 18,
  informAndActivate: 19,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

const NAMES: readonly string[] = [
  '', // there is no type 0
  ...['REQUEST', 'PROPOSAL', 'ACK', 'COMMIT', 'PING', 'REVALIDATE', 'SYNC', 'INFORM', 'COMMITANDACTIVATE'],
  ...[
    'NEWLEADER',
    'FOLLOWERINFO',
    'UPTODATE',
    'DIFF',
    'TRUNC',
    'SNAP',
    'OBSERVERINFO',
    'LEADERINFO',
    'ACKEPOCH',
  ],
  'INFORMANDACTIVATE',
];

/** As Apache's log lines name it; a number for a type that this protocol does not have. */
export function packetTypeName(type: number): string {
  return NAMES[type] || String(type);
}

/** What both sides say they speak, in LearnerInfo and LEADERINFO: 3.4 and later. */
export const QUORUM_PROTOCOL_VERSION = 0x10000;

/** The zxid of a packet that has none: REQUEST, REVALIDATE, UPTODATE. */
export const NO_ZXID = -1;
