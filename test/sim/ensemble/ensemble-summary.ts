/** What many seeds came to: how much was tried, at what speed, and what was never reached. */
import type { EnsembleResult } from './ensemble-run.ts';
import { type EnsembleVariant, INTACT } from './ensemble-variants.ts';

export class EnsembleSummary {
  failed = 0;
  seeds = 0;
  readonly covered = new Map<string, number>();
  private readonly variant: EnsembleVariant;
  private readonly startedMicros = cpuMicros();
  private readonly faults = new Map<string, number>();
  private virtualMs = 0;
  private steps = 0;
  private acknowledged = 0;
  private reads = 0;
  private committed = 0;

  constructor(variant: EnsembleVariant = INTACT) {
    this.variant = variant;
  }

  add(result: EnsembleResult): void {
    this.seeds++;
    if (result.violation !== null) this.failed++;
    this.virtualMs += result.virtualMs;
    this.steps += result.steps;
    this.acknowledged += result.acknowledged;
    this.reads += result.reads;
    this.committed += result.committed;
    for (const [kind, count] of result.faults) this.faults.set(kind, (this.faults.get(kind) ?? 0) + count);
    for (const state of result.covered) this.covered.set(state, (this.covered.get(state) ?? 0) + 1);
  }

  get seedsAMinute(): number {
    return (this.seeds * 60e6) / (cpuMicros() - this.startedMicros);
  }

  /** One command that shows it again. */
  failureText({ seed, violation }: EnsembleResult): string {
    const which = this.variant === INTACT ? '' : ` --variant ${this.variant.name}`;
    return `seed ${seed}: ${violation}\n  again: npm run sim:ensemble -- --seed ${seed} --trace${which}`;
  }

  text(): string {
    const list = (counts: ReadonlyMap<string, number>): string =>
      [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => `${name} ${count}`)
        .join(', ');
    return [
      `${this.seeds} seeds, ${this.failed} failed; ${Math.round(this.seedsAMinute)} seeds a minute of CPU`,
      `virtual time ${(this.virtualMs / 3_600_000).toFixed(2)} h, ${this.steps} turns`,
      `${this.committed} transactions committed, ${this.acknowledged} writes acknowledged, ${this.reads} reads compared`,
      `faults: ${list(this.faults)}`,
      `seeds that reached: ${list(this.covered)}`,
    ].join('\n');
  }
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
