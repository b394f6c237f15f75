/**
 * Faults at fixed times, as figure 8 of the ZooKeeper paper (ATC 2010) has them: five servers, 30 % writes, 300 s. The paper names the
 * events; their times are read off its figure, and how long a server of the first three is away is ours to say.
 *
 *     s   25        75            140             165 185  200      235     280
 *         1 follower 2 another one 3 leader        4a  4b   4c both  5       6 the leader
 *         kill, back kill, back    kill, back      kill kill back    kill    back
 *
 * Here the load is paced, not saturating: what it shows is the outage, not the lower throughput of fewer servers.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigFailure } from '../../src/base/failure.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import type { EnsembleMember } from '../target/ensemble-member.ts';
import type { LocalEnsemble } from '../target/local-ensemble.ts';
import { awaitWhole, type PastFault } from './fault-run.ts';
import type { FaultInjector, Victim } from './faults.ts';

/** Of the whole, in seconds of the paper's run. */
const LENGTH_S = 300;
const AWAY_S = 10;

interface ScriptEvent {
  readonly name: string;
  readonly atS: number;
  readonly victim: Victim;
  readonly backS: number;
}

const FIGURE_8: readonly ScriptEvent[] = [
  { name: '1 follower', atS: 25, victim: 'follower', backS: 25 + AWAY_S },
  { name: '2 another follower', atS: 75, victim: 'follower', backS: 75 + AWAY_S },
  { name: '3 leader', atS: 140, victim: 'leader', backS: 140 + AWAY_S },
  { name: '4a follower', atS: 165, victim: 'follower', backS: 200 },
  { name: '4b another follower', atS: 185, victim: 'follower', backS: 200 },
  { name: '5 leader', atS: 235, victim: 'leader', backS: 280 },
];
/** Two of them are away at once, and a majority stays. */
export const SCRIPT_VOTERS_MIN = 5;

/** Of the monotonic clock; each fault until the next one. @throws ConfigFailure when the servers do not come back; an AbortError */
export async function runScript(
  ensemble: LocalEnsemble,
  injector: FaultInjector,
  scriptMs: number,
  abort: AbortSignal,
  onFault: (done: number, of: number, fault: string) => void,
): Promise<PastFault[]> {
  const startMs = monotonicMs();
  const atOf = (seconds: number): number => startMs + (seconds * scriptMs) / LENGTH_S;
  const until = (seconds: number): Promise<void> =>
    delay(Math.max(0, atOf(seconds) - monotonicMs()), undefined, { signal: abort });
  const away = new Map<ScriptEvent, EnsembleMember>();
  const fromMs = new Map<ScriptEvent, number>();
  const wholeMs = new Map<ScriptEvent, number>();
  let last: EnsembleMember | null = null;
  for (const [at, event] of FIGURE_8.entries()) {
    await until(event.atS);
    onFault(at + 1, FIGURE_8.length, event.name);
    last = await anotherOf(ensemble, event.victim, last);
    away.set(event, last);
    fromMs.set(event, monotonicMs());
    await injector.injure(last, 'kill');
    const next = FIGURE_8[at + 1];
    if (next !== undefined && next.atS < event.backS) continue;
    await until(event.backS);
    for (const member of away.values()) await injector.mend(member, 'kill');
    await awaitWhole(ensemble, abort);
    for (const mended of away.keys()) wholeMs.set(mended, monotonicMs());
    away.clear();
  }
  await until(LENGTH_S);
  const endMs = monotonicMs();
  return FIGURE_8.map((event, at) => ({
    ...{ name: event.name, kind: 'kill', victim: event.victim },
    fromMs: fromMs.get(event)!,
    wholeMs: wholeMs.get(event)!,
    toMs: fromMs.get(FIGURE_8[at + 1]!) ?? endMs,
  }));
}

/** Not the one that failed before. */
async function anotherOf(
  ensemble: LocalEnsemble,
  victim: Victim,
  last: EnsembleMember | null,
): Promise<EnsembleMember> {
  const modes = await ensemble.modes();
  const member = ensemble.members.find((one, at) => modes[at] === victim && one !== last);
  if (member === undefined) throw new ConfigFailure(`no server is ${victim} just now: ${modes.join(', ')}`);
  return member;
}
