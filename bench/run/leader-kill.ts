/**
 * The one fault that a plan may ask for: SIGKILL to the server that leads, so long after the measured time of the last phase
 * has begun. It stays down; what clients have of it is told by the probes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigFailure } from '../../src/base/failure.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import type { Plan } from '../plan/plan.ts';
import type { LeaderKill } from '../result/run-json.ts';
import type { Target } from '../target/target.ts';
import type { TargetSpec } from '../target/target-spec.ts';

/** With fewer there is no majority left. */
const VOTERS_MIN = 3;
const ASKED_EVERY_MS = 20;

/** Before anything is started. @throws ConfigFailure when the target has no leader that may be killed */
export function refuseLeaderKill(plan: Plan, spec: TargetSpec): void {
  const phase = plan.phases.find(({ killLeaderMs }) => killLeaderMs !== undefined);
  if (phase === undefined || (spec.kind === 'ensemble' && spec.voters.length >= VOTERS_MIN)) return;
  throw new ConfigFailure(
    `--target: "${spec.text}" - phase ${phase.name} kills the leader (killLeader); allowed: ${VOTERS_MIN} or more servers ` +
      'that are started here, e.g. --target embedded:3',
  );
}

/** Until somebody leads, or `untilMs` of the monotonic clock; null: nobody did. `startMs` is the phase's. */
export async function killLeader(
  target: Target,
  { startMs, untilMs }: { readonly startMs: number; readonly untilMs: number },
  abort: AbortSignal,
): Promise<LeaderKill | null> {
  while (!abort.aborted && monotonicMs() < untilMs) {
    const killed = await target.killLeader?.();
    if (killed != null) return { server: killed.name, atMs: killed.atMs - startMs };
    await delay(ASKED_EVERY_MS);
  }
  return null;
}
