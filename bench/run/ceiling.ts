/**
 * Where the generator itself would end: the same load against the null server, which parses and answers and does
 * nothing else. On few cores that server takes its share of them too, so that its figure is not yet the generator's;
 * divided by the busy share of the generator's threads it is.
 *
 *     null rate 2.6 M/s, generator 0.55 busy  ->  ceiling 4.7 M/s
 */
import { LoadController } from '../generator/controller.ts';
import type { PhasePlan, Plan } from '../plan/plan.ts';
import { maxBytes } from '../plan/plan.ts';
import { startTarget } from '../target/start-target.ts';

const WARMUP_MS = 300;
const MEASURE_MS = 1_000;

export interface Ceiling {
  readonly nullPerSecond: number;
  readonly ceilingPerSecond: number;
}

export class CeilingMeter {
  private readonly tempParent: string;
  private readonly known = new Map<string, Ceiling | null>();

  constructor(tempParent: string) {
    this.tempParent = tempParent;
  }

  /** Null for recipes: what does nothing cannot take part in them. */
  async measure(plan: Plan, phaseIndex: number): Promise<Ceiling | null> {
    const phase = plan.phases[phaseIndex]!;
    const alone = nullPlan(plan, phase);
    if (alone === null) return null;
    const key = JSON.stringify(alone);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const ceiling = await this.run(alone);
    this.known.set(key, ceiling);
    return ceiling;
  }

  private async run(plan: Plan): Promise<Ceiling | null> {
    const target = await startTarget(
      { text: 'null', kind: 'null', delayMs: 0 },
      {
        serverArgs: [],
        tempParent: this.tempParent,
        valueBytes: maxBytes(plan.tree.values),
        extendedTypes: false,
      },
    );
    try {
      const controller = await LoadController.open(plan, target.addresses);
      try {
        const { collector, labels, grid, reports } = controller.startPhase(0);
        const ended = await reports;
        const all = labels.map((_, label) => label);
        const replies = collector
          .counts(all, grid.measureStartMs, grid.measureEndMs)
          .reduce((a, b) => a + b, 0);
        const busy =
          ended.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0) / 1000 / MEASURE_MS / ended.length;
        const nullPerSecond = (replies / MEASURE_MS) * 1000;
        return replies === 0 ? null : { nullPerSecond, ceilingPerSecond: nullPerSecond / Math.min(1, busy) };
      } finally {
        await controller.close();
      }
    } finally {
      await target.stop();
    }
  }
}

/** The load alone, as a closed loop and without rests. */
function nullPlan(plan: Plan, phase: PhasePlan): Plan | null {
  if (phase.load.kind !== 'mix') return null;
  const load = { ...phase.load, arrival: { kind: 'closed', thinkTimeMs: 0 } } as const;
  return {
    ...plan,
    name: 'ceiling',
    check: false,
    sloMs: null,
    phases: [{ name: 'ceiling', load, warmupMs: WARMUP_MS, measureMs: MEASURE_MS, rampMs: 0 }],
    references: [],
    sweep: [],
    search: null,
  };
}
