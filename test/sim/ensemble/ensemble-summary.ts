/** What many seeds came to: how much was tried, at what speed, and what was never reached. Sums, so that parts of them add up. */
import type { EnsembleResult } from './ensemble-run.ts';
import { type EnsembleVariant, INTACT } from './ensemble-variants.ts';

/** As it goes from process to process and into files. */
export interface EnsembleTally {
  readonly seeds: number;
  /** A line and the command that shows it again, each. */
  readonly failures: readonly string[];
  readonly cpuMicros: number;
  readonly virtualMs: number;
  readonly steps: number;
  readonly acknowledged: number;
  readonly reads: number;
  readonly committed: number;
  readonly faults: Readonly<Record<string, number>>;
  /** State -> seeds that reached it. */
  readonly covered: Readonly<Record<string, number>>;
}

const SUMS = ['seeds', 'cpuMicros', 'virtualMs', 'steps', 'acknowledged', 'reads', 'committed'] as const;

export class EnsembleSummary {
  readonly failures: string[] = [];
  readonly covered = new Map<string, number>();
  private readonly variant: EnsembleVariant;
  private readonly faults = new Map<string, number>();
  private readonly sums: Record<(typeof SUMS)[number], number> = {
    seeds: 0,
    cpuMicros: 0,
    virtualMs: 0,
    steps: 0,
    acknowledged: 0,
    reads: 0,
    committed: 0,
  };
  private measuredMicros = cpuMicros();

  constructor(variant: EnsembleVariant = INTACT) {
    this.variant = variant;
  }

  /** Of a seed that this process has run; its CPU since the last one is that of the seed. */
  add(result: EnsembleResult): void {
    const now = cpuMicros();
    const { virtualMs, steps, acknowledged, reads, committed } = result;
    this.merge({
      ...{ virtualMs, steps, acknowledged, reads, committed },
      seeds: 1,
      cpuMicros: now - this.measuredMicros,
      failures: result.violation === null ? [] : [this.failureText(result)],
      faults: Object.fromEntries(result.faults),
      covered: Object.fromEntries([...result.covered].map((state) => [state, 1])),
    });
    this.measuredMicros = now;
  }

  merge(tally: EnsembleTally): void {
    for (const key of SUMS) this.sums[key] += tally[key];
    this.failures.push(...tally.failures);
    for (const [kind, count] of Object.entries(tally.faults)) addTo(this.faults, kind, count);
    for (const [state, count] of Object.entries(tally.covered)) addTo(this.covered, state, count);
  }

  get tally(): EnsembleTally {
    const { sums, failures, faults, covered } = this;
    return { ...sums, failures, faults: Object.fromEntries(faults), covered: Object.fromEntries(covered) };
  }

  get seeds(): number {
    return this.sums.seeds;
  }

  get seedsAMinute(): number {
    return (this.sums.seeds * 60e6) / this.sums.cpuMicros;
  }

  /** One command that shows it again. */
  failureText({ seed, violation }: EnsembleResult): string {
    const which = this.variant === INTACT ? '' : ` --variant ${this.variant.name}`;
    return `seed ${seed}: ${violation}\n  again: npm run sim:ensemble -- --seed ${seed} --trace${which}`;
  }

  lines(): string[] {
    const { seeds, virtualMs, steps, committed, acknowledged, reads } = this.sums;
    return [
      `${seeds} seeds, ${this.failures.length} failed; ${Math.round(this.seedsAMinute)} seeds a minute of CPU`,
      `virtual time ${(virtualMs / 3_600_000).toFixed(2)} h, ${steps} turns`,
      `${committed} transactions committed, ${acknowledged} writes acknowledged, ${reads} reads compared`,
      `faults: ${listOf(this.faults)}`,
      `seeds that reached: ${listOf(this.covered)}`,
    ];
  }
}

function addTo(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
