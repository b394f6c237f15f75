/**
 * What quorum packets carry as data, at an offset: readers for `[start, end)` of a packet's data, writers that return the offset
 * behind. Session ids are two int32 halves. Pure, any thread.
 *
 *     FOLLOWERINFO, OBSERVERINFO   LearnerInfo: i64 sid | i32 protocol | i64 config version; behind it, of ours, i32 OURS
 *     LEADERINFO                   i32 protocol; behind it, of ours to one of ours, i32 OURS
 *     ACKEPOCH                     i32 current epoch, -1: this learner had promised the new epoch before
 *     REQUEST                      i64 session | i32 cxid | i32 opcode | the client's request without its RequestHeader
 *     REVALIDATE, to the master    i64 session | i32 timeout ms
 *     REVALIDATE, its answer       i64 session | bool valid
 *     PING, to the master          touches, as many as fit: i64 session | i32 timeout ms
 *     COMMITANDACTIVATE            i64 designated leader
 *     INFORMANDACTIVATE            i64 designated leader | transaction
 *     PROPOSAL, INFORM             transaction (txn-records.ts)
 *     NEWLEADER                    the leader's last-seen configuration as text; 0 or 1 bytes or null: none
 */
import { readInt64, writeInt64 } from '../../base/int64.ts';
import { QUORUM_PROTOCOL_VERSION } from './packet-types.ts';

export const LEARNER_INFO_BYTES = 20;
/** LearnerInfo and OURS. */
export const OUR_INFO_BYTES = 24;
/** "RK" and a version: behind a LearnerInfo, where Apache does not read, a learner of ours says that it is one. */
const OURS = 0x524b_0001;

/** As Apache reads it, by its length: what an older learner leaves out has a value of its own. */
export class LearnerInfo {
  /** -1: it did not say, the leader gives it a negative one. */
  sid = -1;
  protocolVersion = 1;
  /** Of its committed configuration. */
  configVersion = 0;
  /** It is one of ours. */
  isOurs = false;

  wrap(view: DataView, start: number, end: number): void {
    const length = end - start;
    this.sid = length >= 8 ? readInt64(view, start) : -1;
    this.protocolVersion = length >= 12 ? view.getInt32(start + 8) : 1;
    this.configVersion = length >= LEARNER_INFO_BYTES ? readInt64(view, start + 12) : 0;
    this.isOurs = length >= OUR_INFO_BYTES && view.getInt32(start + LEARNER_INFO_BYTES) === OURS;
  }
}

export function writeLearnerInfo(view: DataView, offset: number, sid: number, configVersion: number): number {
  writeInt64(view, offset, sid);
  view.setInt32(offset + 8, QUORUM_PROTOCOL_VERSION);
  writeInt64(view, offset + 12, configVersion);
  return offset + LEARNER_INFO_BYTES;
}

/** The same, of one of ours. */
export function writeOurInfo(view: DataView, offset: number, sid: number, configVersion: number): number {
  const at = writeLearnerInfo(view, offset, sid, configVersion);
  view.setInt32(at, OURS);
  return at + 4;
}

export const LEADER_INFO_BYTES = 4;

export function writeLeaderInfo(view: DataView, offset: number): number {
  view.setInt32(offset, QUORUM_PROTOCOL_VERSION);
  return offset + LEADER_INFO_BYTES;
}

/** LEADERINFO and OURS: from now on an ACK, and a COMMIT, stands for all up to its zxid. */
export const OUR_LEADER_INFO_BYTES = 8;

export function writeOurLeaderInfo(view: DataView, offset: number): number {
  const at = writeLeaderInfo(view, offset);
  view.setInt32(at, OURS);
  return at + 4;
}

export function isOurLeader(view: DataView, start: number, end: number): boolean {
  return end - start >= OUR_LEADER_INFO_BYTES && view.getInt32(start + LEADER_INFO_BYTES) === OURS;
}

/** Session, cxid and opcode, in front of the client's request. */
export const REQUEST_HEAD_BYTES = 16;

export function writeRequestHead(
  view: DataView,
  offset: number,
  sessionHigh: number,
  sessionLow: number,
  cxid: number,
  opcode: number,
): number {
  view.setInt32(offset, sessionHigh);
  view.setInt32(offset + 4, sessionLow);
  view.setInt32(offset + 8, cxid);
  view.setInt32(offset + 12, opcode);
  return offset + REQUEST_HEAD_BYTES;
}

/** A session and its timeout: REVALIDATE to the master, and each touch of a PING. */
export const TOUCH_BYTES = 12;
/** That one of ours puts into a PING; behind so many another one follows. */
export const TOUCHES_MAX = 40_000;

export function writeTouch(
  view: DataView,
  offset: number,
  sessionHigh: number,
  sessionLow: number,
  timeoutMs: number,
): number {
  view.setInt32(offset, sessionHigh);
  view.setInt32(offset + 4, sessionLow);
  view.setInt32(offset + 8, timeoutMs);
  return offset + TOUCH_BYTES;
}

export const REVALIDATE_ANSWER_BYTES = 9;

export function writeRevalidateAnswer(
  view: DataView,
  offset: number,
  sessionHigh: number,
  sessionLow: number,
  isValid: boolean,
): number {
  view.setInt32(offset, sessionHigh);
  view.setInt32(offset + 4, sessionLow);
  view.setUint8(offset + 8, isValid ? 1 : 0);
  return offset + REVALIDATE_ANSWER_BYTES;
}
