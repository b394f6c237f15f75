/**
 * Faults, one after the other. The next one comes when the ensemble is whole again, at a moment that is drawn anew, because a
 * period of the servers (a tick, a snapshot) must not always meet the same phase.
 *
 *     whole --rest, random part of a tick--> fault --down--> mended --all serve, one leads--> whole ...
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Prng } from '../../src/base/prng.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import type { LocalEnsemble } from '../target/local-ensemble.ts';
import type { FaultSpan } from './fault-figures.ts';
import type { FaultInjector, FaultPlan, Victim } from './faults.ts';

export interface FaultPace {
  readonly faults: readonly FaultPlan[];
  /** Of each of them. */
  readonly rounds: number;
  readonly downMs: number;
  readonly restMs: number;
}

/** Of the monotonic clock. */
export interface PastFault extends FaultPlan, FaultSpan {
  /** `kill leader`; faults of one name are counted together. */
  readonly name: string;
  /** All served again, before the rest. */
  readonly wholeMs: number;
}

const TICK_MS = 2_000;
const ASKED_EVERY_MS = 50;
/** Until a server that was started again serves, as it mostly is. */
const COMING_BACK_MS = 1_500;
const WHOLE_MS_MAX = 120_000;

/** About how long the faults take with so many servers, for who decides whether to wait. */
export function expectedMs({ faults, rounds, downMs, restMs }: FaultPace, servers: number): number {
  const perRound = faults.map(({ victim }) => {
    const steps = victim === 'each' ? servers : 1;
    return TICK_MS / 2 + steps * (downMs + COMING_BACK_MS) + restMs;
  });
  return restMs + rounds * perRound.reduce((sum, ms) => sum + ms, 0);
}

/** Begins and ends with `restMs` of peace. @throws ConfigFailure when the servers do not come back; an AbortError */
export async function runFaults(
  ensemble: LocalEnsemble,
  injector: FaultInjector,
  pace: FaultPace,
  prng: Prng,
  abort: AbortSignal,
  onFault: (done: number, of: number, fault: string) => void,
): Promise<PastFault[]> {
  const rest = (): Promise<void> => delay(pace.restMs, undefined, { signal: abort });
  const order = faultOrder(pace, prng);
  const past: PastFault[] = [];
  await rest();
  for (const { kind, victim } of order) {
    const name = `${kind} ${victim}`;
    onFault(past.length + 1, order.length, name);
    await delay(prng.below(TICK_MS), undefined, { signal: abort });
    const groups = victimsOf(ensemble.members, await ensemble.modes(), victim, prng);
    const fromMs = monotonicMs();
    for (const group of groups) {
      await Promise.all(group.map((member) => injector.injure(member, kind)));
      await delay(pace.downMs, undefined, { signal: abort });
      for (const member of group) await injector.mend(member, kind);
      await awaitWhole(ensemble, abort);
    }
    const wholeMs = monotonicMs();
    await rest();
    past.push({ name, kind, victim, fromMs, wholeMs, toMs: monotonicMs() });
  }
  return past;
}

/** All of them, mixed, so that no kind has the warm end of the run for itself. */
function faultOrder({ faults, rounds }: FaultPace, prng: Prng): FaultPlan[] {
  const order = Array.from({ length: rounds }, () => faults).flat();
  for (let last = order.length - 1; last > 0; last--) {
    const other = prng.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** Groups fail one after the other, the members of a group at once. */
export function victimsOf<Member>(
  members: readonly Member[],
  modes: readonly (string | null)[],
  victim: Victim,
  prng: Prng,
): Member[][] {
  const all = (mode: string): Member[] => members.filter((_, at) => modes[at] === mode);
  const some = (mode: string, count: number): Member[] => {
    const left = all(mode);
    if (left.length < count)
      throw new ConfigFailure(`fewer servers than ${count} are ${mode} just now: ${modes.join(', ')}`);
    return Array.from({ length: count }, () => left.splice(prng.below(left.length), 1)[0]!);
  };
  switch (victim) {
    case 'leader+follower':
      return [[...some('leader', 1), ...some('follower', 1)]];
    case 'two-followers':
      return [some('follower', 2)];
    case 'each':
      // As operators do it: who leads comes last, or more than one would be elected on the way.
      return [...all('observer'), ...all('follower'), ...all('leader')].map((member) => [member]);
    default:
      return [some(victim, 1)];
  }
}

/** All serve, and one leads: a leader that was cut off does not know at once that another one does. */
export async function awaitWhole(ensemble: LocalEnsemble, abort: AbortSignal): Promise<void> {
  const deadline = monotonicMs() + WHOLE_MS_MAX;
  for (;;) {
    const modes = await ensemble.awaitServing(abort);
    if (modes.filter((mode) => mode === 'leader').length <= 1) return;
    if (monotonicMs() > deadline)
      throw new ConfigFailure(`several servers lead after ${WHOLE_MS_MAX / 1000} s: ${modes.join(', ')}`);
    await delay(ASKED_EVERY_MS, undefined, { signal: abort });
  }
}
