/**
 * A request to change the members of the ensemble, as a proposal: the next configuration becomes the data of `/zookeeper/config`, and
 * with its transaction's zxid for a version it is told to whoever counts votes. Order of checks: Apache's. Core thread.
 *
 *     enabled? · session · one of several? · no other in progress · its base · what is asked · a quorum of it follows · WRITE
 */
import { Perm } from '../../wire/acl.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { ReconfigRequest } from '../../wire/requests.ts';
import { TXN_DIGEST_BYTES } from '../../wire/txn-records.ts';
import { decodeUtf8 } from '../../wire/utf8.ts';
import type { WriteRequest } from '../client/write-request.ts';
import { NEXT_TURN } from '../progress/turn-work.ts';
import type { MembershipPort } from '../quorum/membership-port.ts';
import type { QuorumConfig } from '../quorum/quorum-config.ts';
import { changedConfig } from '../quorum/reconfig.ts';
import { CONFIG_PATH } from '../tree/config-node.ts';
import { RECORD_FIXED_BYTES, type ZnodeCursor } from '../tree/record.ts';
import { RoomKept, type Tree } from '../tree/tree.ts';
import type { LatestView } from './latest-view.ts';
import type { ProposerParts } from './multi-proposer.ts';

export interface ReconfigProposerParts extends ProposerParts {
  readonly tree: Tree;
  readonly latest: LatestView;
}

/** Each server writes that version of the znode, so nobody can set its data by one. */
const DATA_VERSION = -1;

export class ReconfigProposer {
  /** Who belongs to the ensemble that this server leads; null = it leads none. */
  membership: MembershipPort | null = null;
  private readonly parts: ReconfigProposerParts;
  private readonly isEnabled: boolean;
  private readonly asked = new ReconfigRequest();
  private readonly node: ZnodeCursor;

  constructor(parts: ReconfigProposerParts, isEnabled: boolean) {
    this.parts = parts;
    this.isEnabled = isEnabled;
    this.node = parts.tree.cursor();
  }

  /** False: no room or no time now, and nothing has happened. */
  propose(request: WriteRequest): boolean {
    const { membership, parts } = this;
    const { writer, change } = parts;
    if (!this.isEnabled) return writer.proposeError(request, ErrorCode.reconfigDisabled);
    if (change.sessionClosed) return writer.proposeError(request, ErrorCode.sessionExpired);
    if (membership === null) return writer.proposeError(request, ErrorCode.unimplemented);
    const planned = this.plan(request, membership);
    if (planned === NEXT_TURN) return false;
    if (typeof planned === 'number') return writer.proposeError(request, planned);
    return this.proposePlanned(request, planned, membership);
  }

  private plan(request: WriteRequest, membership: MembershipPort): QuorumConfig | number {
    const { asked, parts } = this;
    const { committed, lastSeen, standaloneEnabled } = membership;
    if (lastSeen.version !== committed.version) return ErrorCode.reconfigInProgress;
    const { bytes, view, start, end, origin } = request;
    if (!asked.wrap(bytes, view, start, end)) return ErrorCode.marshallingError;
    if (asked.configId !== -1 && asked.configId !== lastSeen.version) return ErrorCode.badVersion;
    const text = (at: number, length: number): string | null =>
      length < 0 ? null : decodeUtf8(bytes, at, at + length);
    const wish = {
      joining: text(asked.joiningStart, asked.joiningLength),
      leaving: text(asked.leavingStart, asked.leavingLength),
      members: text(asked.membersStart, asked.membersLength),
    };
    const config = changedConfig(wish, lastSeen, parts.writer.progress.nextZxid(), standaloneEnabled);
    if (typeof config === 'number') return config;
    if (!membership.isQuorumSynced(config)) return ErrorCode.newConfigNoQuorum;
    const { latest, change } = parts;
    const node = latest.find(CONFIG_PATH, 0, CONFIG_PATH.length, this.node);
    if (node === 0) return ErrorCode.noNode;
    const access = latest.accessTo(this.node, Perm.write, origin.authIds);
    if (access !== ErrorCode.ok) return access;
    const recordBytes = RECORD_FIXED_BYTES + CONFIG_PATH.length + config.bytes.length;
    if (!latest.hasRoomFor(recordBytes, 0, RoomKept.change)) return ErrorCode.quotaExceeded;
    change.op = OpCode.setData;
    change.nodeId = node;
    change.setPath(CONFIG_PATH, 0, CONFIG_PATH.length);
    change.setData(config.bytes, 0, config.bytes.length);
    change.version = DATA_VERSION;
    return config;
  }

  private proposePlanned(request: WriteRequest, config: QuorumConfig, membership: MembershipPort): boolean {
    const { encoder, stager, change, writer } = this.parts;
    const at = writer.claim(encoder.recordBytesMax() + TXN_DIGEST_BYTES);
    if (at < 0) return false;
    const { xid, origin, asker } = request;
    const zxid = config.version;
    // It counts on the votes of its members from this very transaction on.
    membership.onProposed(config);
    writer.begin();
    const body = writer.header(at, origin.session, xid, zxid, OpCode.reconfig);
    const end = encoder.write(writer.log.bytes, writer.log.view, body);
    stager.stage(change, zxid, writer.clock.wallMs);
    writer.finish(at, end, zxid);
    writer.push(zxid, OpCode.reconfig, asker, xid, ErrorCode.ok, writer.stagedBytes);
    return true;
  }
}
