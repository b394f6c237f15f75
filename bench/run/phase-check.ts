/** The history check of one phase: what the keys held before, what the workers recorded, what they hold after. */

import type { Address } from '../base/address.ts';
import { checkHistory } from '../check/check.ts';
import { readTag } from '../check/history.ts';
import type { KeyState, KeyStates } from '../check/merged-history.ts';
import { withAnySession } from '../generator/tree-set-up.ts';
import { KeySpace } from '../load/key-space.ts';
import type { Plan } from '../plan/plan.ts';
import type { CheckResult } from '../result/run-json.ts';
import type { Session } from '../session/session.ts';

const WINDOW = 500;
const NO_DATA = new Uint8Array(0);

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
    await session.ask((zk) => zk.sync(plan.tree.root));
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

async function readState(session: Session, path: string): Promise<KeyState | null> {
  const node = await session.ask((zk) => zk.tryGetData(path));
  if (node === null) return null;
  const { data, stat } = node;
  return {
    tag: readTag(data ?? NO_DATA, 0, data?.length ?? -1),
    version: stat.version,
    mzxid: stat.mzxid,
  };
}
