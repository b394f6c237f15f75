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

/** Of the same run, before the phase. */
export interface WhatWasBefore {
  /** Some writes have no outcome and may still take effect. */
  readonly openWrites: boolean;
  /** There may be watches that the history does not know. */
  readonly watchesBefore: boolean;
}

export class PhaseCheck {
  private readonly plan: Plan;
  private readonly addresses: readonly Address[];
  private readonly initial: KeyStates;
  private readonly before: WhatWasBefore;

  private constructor(plan: Plan, addresses: readonly Address[], initial: KeyStates, before: WhatWasBefore) {
    this.plan = plan;
    this.addresses = addresses;
    this.initial = initial;
    this.before = before;
  }

  /** Before the phase starts. */
  static async begin(plan: Plan, addresses: readonly Address[], before: WhatWasBefore): Promise<PhaseCheck> {
    return new PhaseCheck(plan, addresses, await readStates(plan, addresses), before);
  }

  /** After its last reply. A target that is gone leaves its last state unread. */
  async finish(histories: readonly SharedArrayBuffer[]): Promise<CheckResult> {
    const final = await readStates(this.plan, this.addresses).catch(() => null);
    return checkHistory(histories, final, {
      initial: this.initial,
      foreignWrites: this.before.openWrites,
      watchesBefore: this.before.watchesBefore,
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
