/** What many seeds came to: how much was tried, at what speed, and what was never reached. */
import type { SeedResult } from './run-seed.ts';

export class Summary {
  failed = 0;
  seeds = 0;
  readonly covered = new Map<string, number>();
  private readonly startedMicros = cpuMicros();
  private readonly faults = new Map<string, number>();
  private virtualMs = 0;
  private steps = 0;
  private acknowledged = 0;
  private reads = 0;

  add(result: SeedResult): void {
    this.seeds++;
    if (result.violation !== null) this.failed++;
    this.virtualMs += result.virtualMs;
    this.steps += result.steps;
    this.acknowledged += result.acknowledged;
    this.reads += result.reads;
    for (const [kind, count] of result.faults) this.faults.set(kind, (this.faults.get(kind) ?? 0) + count);
    for (const state of result.covered) this.covered.set(state, (this.covered.get(state) ?? 0) + 1);
  }

  /** One command that shows it again. */
  failureText({ seed, violation }: SeedResult): string {
    return `seed ${seed}: ${violation}\n  again: npm run sim -- --seed ${seed} --trace`;
  }

  text(): string {
    const cpuSeconds = (cpuMicros() - this.startedMicros) / 1e6;
    const list = (counts: ReadonlyMap<string, number>): string =>
      [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => `${name} ${count}`)
        .join(', ');
    return [
      `${this.seeds} seeds, ${this.failed} failed; ${Math.round((this.seeds * 60) / cpuSeconds)} seeds a minute of CPU`,
      `virtual time ${(this.virtualMs / 3_600_000).toFixed(1)} h, ${this.steps} turns`,
      `${this.acknowledged} writes acknowledged, ${this.reads} reads compared`,
      `faults: ${list(this.faults)}`,
      `seeds that reached: ${list(this.covered)}`,
    ].join('\n');
  }
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
