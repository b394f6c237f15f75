/** The history check of one phase: what the keys held before, what the workers recorded, what they hold after. */

import { readInt64 } from '../../src/base/int64.ts';
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { STAT_BYTES, StatOffset } from '../../src/wire/stat.ts';
import type { Address } from '../base/address.ts';
import { checkHistory } from '../check/check.ts';
import { readTag } from '../check/history.ts';
import type { KeyState, KeyStates } from '../check/merged-history.ts';
import { withAnySession } from '../generator/tree-set-up.ts';
import { KeySpace } from '../load/key-space.ts';
import type { Plan } from '../plan/plan.ts';
import type { CheckResult } from '../result/run-json.ts';
import { getRequest } from '../session/frames.ts';
import type { RawSession } from '../session/raw-session.ts';

const WINDOW = 500;
export class PhaseCheck {
  private readonly plan: Plan;
  private readonly phaseIndex: number;
  private readonly addresses: readonly Address[];
  private readonly initial: KeyStates;
  private readonly openWrites: boolean;

  private constructor(
    plan: Plan,
    phaseIndex: number,
    addresses: readonly Address[],
    initial: KeyStates,
    openWrites: boolean,
  ) {
    this.plan = plan;
    this.phaseIndex = phaseIndex;
    this.addresses = addresses;
    this.initial = initial;
    this.openWrites = openWrites;
  }

  /** Before the phase starts. `openWrites`: some of an earlier phase have no outcome and may still take effect. */
  static async begin(
    plan: Plan,
    phaseIndex: number,
    addresses: readonly Address[],
    openWrites: boolean,
  ): Promise<PhaseCheck> {
    return new PhaseCheck(plan, phaseIndex, addresses, await readStates(plan, addresses), openWrites);
  }

  /** After its last reply. A target that is gone leaves its last state unread. */
  async finish(histories: readonly SharedArrayBuffer[]): Promise<CheckResult> {
    const final = await readStates(this.plan, this.addresses).catch(() => null);
    return checkHistory(histories, final, {
      initial: this.initial,
      foreignWrites: this.openWrites,
      watchesBefore: this.phaseIndex > 0,
    });
  }
}

async function readStates(plan: Plan, addresses: readonly Address[]): Promise<KeyStates> {
  const space = new KeySpace(plan.tree);
  const states = new Map<number, KeyState | null>();
  await withAnySession(addresses, async (session) => {
    await session.request({ op: OpCode.sync, path: plan.tree.root });
    for (let first = 0; first < space.keyCount; first += WINDOW) {
      const count = Math.min(WINDOW, space.keyCount - first);
      await Promise.all(
        Array.from({ length: count }, async (_, i) => {
          states.set(first + i, await readState(session, space.keyPath(first + i)));
        }),
      );
    }
  });
  return states;
}

/** `buffer data | Stat` */
async function readState(session: RawSession, path: string): Promise<KeyState | null> {
  const { error, body } = await session.request(getRequest(path));
  if (error === ErrorCode.noNode) return null;
  if (error !== 0) throw new Error(`get ${path} gave ${errorName(error)}`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const stat = body.byteLength - STAT_BYTES;
  return {
    tag: readTag(body, 4, view.getInt32(0)),
    version: view.getInt32(stat + StatOffset.version),
    mzxid: readInt64(view, stat + StatOffset.mzxid),
  };
}
