/**
 * What a reader looks for first in each kind of load: of a recipe its step or event, which is what it is run for.
 * First rows on the terminal, first tiles on the page.
 */
import type { RecipeLoad } from '../plan/plan.ts';
import type { OpResult, PhaseResult } from '../result/run-json.ts';
import { formatCount, formatMs, formatPercent, formatRate } from './format.ts';

interface KeyPlan {
  /** Name of the op. */
  readonly op: string;
  /** What people call its time, and what they call the things of which there are so many a second. */
  readonly time?: string;
  readonly things?: string;
  readonly figures: readonly KeyTime[];
}

type KeyTime = 'mean' | 'p50' | 'p99';

const KEYS: Readonly<Record<RecipeLoad['kind'], readonly KeyPlan[]>> = {
  sessionStorm: [
    { op: 'open session', time: 'Session opening', things: 'Sessions opened', figures: ['p50', 'p99'] },
  ],
  watchFanout: [
    { op: 'write to event', time: 'Write to event', figures: ['p50', 'p99'] },
    { op: 'event', time: 'Acknowledged to event', things: 'Events', figures: ['p50', 'p99'] },
  ],
  lock: [
    { op: 'hand over', time: 'Lock hand-over', figures: ['p50', 'p99'] },
    { op: 'acquire', things: 'Locks acquired', figures: [] },
  ],
  doubleBarrier: [{ op: 'all', time: 'All barriers, one client,', figures: ['mean'] }],
  library: [{ op: 'round', time: 'Round', things: 'Rounds', figures: ['p50', 'p99'] }],
  createThenDelete: [{ op: 'create', time: 'Create', things: 'Creates', figures: ['p50'] }],
};

/**
 * `Write to event p50` with `0.42 ms`, then how many a second; of a mix the events of its watches, or nothing beyond
 * throughput and latency. A delay that many events do not have, because they overtook the acknowledgement, says so.
 */
export function keyFigures(phase: PhaseResult): [name: string, text: string][] {
  const { load } = phase.plan;
  const keys = load.kind === 'mix' ? eventKeys(phase.ops) : KEYS[load.kind];
  const times: [string, string][] = [];
  const rates: [string, string][] = [];
  for (const { op, time, things, figures } of keys) {
    const result = phase.ops.find(({ label }) => label === op);
    if (result === undefined) continue;
    for (const figure of figures) times.push([`${time} ${figure}`, timeText(result, figure)]);
    if (things !== undefined) rates.push([things, formatRate(result.perSecond)]);
  }
  return [...times, ...earlyEvents(phase), ...rates];
}

/** `118 (0.5 %), as 0 ms`; none without any. */
function earlyEvents({ events, eventsBeforeAck }: PhaseResult): [name: string, text: string][] {
  if (eventsBeforeAck === 0) return [];
  const share = events === undefined ? '' : ` (${formatPercent(eventsBeforeAck / events)})`;
  return [['Before the acknowledgement', `${formatCount(eventsBeforeAck)}${share}, as 0 ms`]];
}

function eventKeys(ops: readonly OpResult[]): KeyPlan[] {
  return ops
    .filter(({ kind }) => kind === 'event')
    .map(({ label }) => ({ op: label, time: `Delay of ${label}`, figures: ['p50', 'p99'] }));
}

function timeText({ latency }: OpResult, figure: KeyTime): string {
  return `${formatMs({ mean: latency.meanMs, p50: latency.p50Ms, p99: latency.p99Ms }[figure])} ms`;
}
