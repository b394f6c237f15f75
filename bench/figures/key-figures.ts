/**
 * What a reader looks for first in each kind of load: of a recipe its step or event, which is what it is run for.
 * First rows on the terminal, first tiles on the page.
 */
import type { RecipeLoad } from '../plan/plan.ts';
import type { OpResult, PhaseResult } from '../result/run-json.ts';
import { formatMs, formatRate } from './format.ts';

interface KeyPlan {
  /** Name of the op, and what people call it. */
  readonly op: string;
  readonly name: string;
  readonly figures: readonly KeyFigure[];
}

type KeyFigure = 'rate' | 'mean' | 'p50' | 'p99';

const KEYS: Readonly<Record<RecipeLoad['kind'], readonly KeyPlan[]>> = {
  sessionStorm: [{ op: 'open session', name: 'Session opening', figures: ['rate', 'p50', 'p99'] }],
  watchFanout: [{ op: 'event', name: 'Event delay', figures: ['rate', 'p50', 'p99'] }],
  lock: [
    { op: 'hand over', name: 'Lock hand-over', figures: ['p50', 'p99'] },
    { op: 'acquire', name: 'Lock acquired', figures: ['rate'] },
  ],
  doubleBarrier: [{ op: 'all', name: 'All barriers, one client', figures: ['mean'] }],
  createThenDelete: [{ op: 'create', name: 'Create', figures: ['rate', 'p50'] }],
};

const LABELS: Readonly<Record<KeyFigure, string>> = { rate: '', mean: ' mean', p50: ' p50', p99: ' p99' };

/** `Event delay p50` with `0.42 ms`; of a mix the events of its watches, or nothing beyond throughput and latency. */
export function keyFigures({ plan: { load }, ops }: PhaseResult): [name: string, text: string][] {
  const keys = load.kind === 'mix' ? eventKeys(ops) : KEYS[load.kind];
  return keys.flatMap(({ op, name, figures }) => {
    const result = ops.find(({ label }) => label === op);
    if (result === undefined) return [];
    return figures.map((figure): [string, string] => [
      `${name}${LABELS[figure]}`,
      figureText(result, figure),
    ]);
  });
}

function eventKeys(ops: readonly OpResult[]): KeyPlan[] {
  return ops
    .filter(({ kind }) => kind === 'event')
    .map(({ label }) => ({ op: label, name: `Delay of ${label}`, figures: ['p50', 'p99'] }));
}

function figureText({ perSecond, latency }: OpResult, figure: KeyFigure): string {
  if (figure === 'rate') return formatRate(perSecond);
  const ms = { mean: latency.meanMs, p50: latency.p50Ms, p99: latency.p99Ms }[figure];
  return `${formatMs(ms)} ms`;
}
