/**
 * What one leader says of who belongs to the ensemble, from the first packet of a term to its last: handed to the guard before
 * anything of it is acknowledged (membership-guard.ts). On the thread of the core.
 *
 *     PROPOSAL of a reconfig ─▶ may come into force      COMMITANDACTIVATE, INFORMANDACTIVATE ─▶ that is in force
 *     NEWLEADER              ─▶ may come into force      UPTODATE                             ─▶ that is in force
 *
 * Who says what cannot be read is not followed: methods return why, or null.
 */
import { MalformedQuorumConfig } from '../../core/quorum/member.ts';
import { parseQuorumConfig, type QuorumConfig } from '../../core/quorum/quorum-config.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { TXN_HEADER_BYTES, TxnHeaderOffset, TxnReader } from '../../wire/txn-records.ts';
import { decodeUtf8 } from '../../wire/utf8.ts';
import type { MembershipGuard } from './membership-guard.ts';

/** Of a server whose members stand in its file and are the same for ever. */
const STATIC = /^version=0$/m;

export class ToldMembership {
  private readonly guard: MembershipGuard;
  private readonly reconfigEnabled: boolean;
  private readonly own: QuorumConfig;
  /** With NEWLEADER. */
  private told: QuorumConfig | null = null;
  private proposed: QuorumConfig | null = null;

  /** `own`: in force here. */
  constructor(guard: MembershipGuard, own: QuorumConfig, reconfigEnabled: boolean) {
    this.guard = guard;
    this.own = own;
    this.reconfigEnabled = reconfigEnabled;
  }

  /** Each transaction that the leader proposes, before it is logged. */
  onProposal(bytes: Uint8Array, view: DataView, start: number, end: number): string | null {
    if (end - start < TXN_HEADER_BYTES) return null;
    if (view.getInt32(start + TxnHeaderOffset.type) !== OpCode.reconfig) return null;
    const txn = new TxnReader();
    if (!txn.wrap(bytes, view, start, end)) return 'it proposes a reconfig that is none';
    const config = readConfig(decodeUtf8(bytes, txn.dataStart, txn.dataStart + txn.dataLength));
    if (typeof config === 'string') return `the members that it proposes cannot be read: ${config}`;
    this.proposed = config;
    this.guard.onProposed(config);
    return null;
  }

  onNewLeader(bytes: Uint8Array, start: number, end: number): string | null {
    const text = decodeUtf8(bytes, start, end);
    const config = readConfig(text);
    if (typeof config === 'string') {
      const isNobodyElses = !this.reconfigEnabled && STATIC.test(text);
      return isNobodyElses ? null : `its configuration cannot be read: ${config}`;
    }
    this.told = config;
    this.guard.onProposed(config);
    return null;
  }

  onActivated(): void {
    if (this.proposed !== null) this.guard.onInForce(this.proposed);
  }

  /** A quorum has taken over what NEWLEADER said. Returns what clients are shown. */
  onUpToDate(): QuorumConfig {
    if (this.told !== null) this.guard.onInForce(this.told);
    // A leader's text counts where configurations may change; else each server shows its own file's.
    return this.reconfigEnabled && this.told !== null ? this.told : this.own;
  }
}

function readConfig(text: string): QuorumConfig | string {
  try {
    return parseQuorumConfig(text);
  } catch (error) {
    if (!(error instanceof MalformedQuorumConfig)) throw error;
    return error.message;
  }
}
