/** What a learner says of itself first, and whether a leader can take it. Pure; called by leader.ts. */
import { EPOCH_MAX, epochOf, type Zxid, zxidHex } from '../../base/zxid.ts';
import { PacketType, packetTypeName } from '../../wire/quorum/packet-types.ts';
import type { LearnerInfo } from '../../wire/quorum/payloads.ts';
import type { QuorumPacket } from '../../wire/quorum/quorum-packet.ts';
import type { Sid } from '../quorum/member.ts';
import type { LeaderOptions, LearnerFault } from './leader-port.ts';

interface Refusal {
  readonly fault: LearnerFault;
  readonly reason: string;
}

/**
 * Null: it is a FOLLOWERINFO or OBSERVERINFO, whose contents `info` has now. `sid`: of the leader, whose membership in force is
 * `configVersion`.
 */
export function greetingRefusal(
  packet: QuorumPacket,
  info: LearnerInfo,
  sid: Sid,
  configVersion: Zxid,
): Refusal | null {
  if (packet.type !== PacketType.followerInfo && packet.type !== PacketType.observerInfo) {
    return { fault: 'protocol', reason: `it begins with ${packetTypeName(packet.type)}` };
  }
  const promised = epochOf(packet.zxid);
  if (promised < 0 || promised >= EPOCH_MAX) {
    return { fault: 'protocol', reason: `it says to have promised epoch ${promised}` };
  }
  info.wrap(packet.view, packet.dataStart, packet.dataEnd);
  if (info.configVersion > configVersion) {
    const reason = `it knows configuration ${zxidHex(info.configVersion)}, newer than the leader's`;
    return { fault: 'newer configuration', reason };
  }
  if (info.sid !== sid) return null;
  return { fault: 'own sid', reason: `it says to be server ${sid}, which is this one` };
}

/** Whether a learner whose last transaction is `zxid`, of a history taken over in `epoch`, can follow; null: it can. */
export function historyRefusal(
  epoch: number,
  zxid: Zxid,
  { currentEpoch, lastZxid }: LeaderOptions,
): Refusal | null {
  if (epoch < currentEpoch || (epoch === currentEpoch && zxid <= lastZxid)) return null;
  const reason = `its history (epoch ${epoch}, 0x${zxidHex(zxid)}) is newer than the leader's`;
  return { fault: 'newer history', reason };
}
