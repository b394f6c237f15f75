/**
 * A scenario is data: what tree to build, who sends what for how long, and how availability is probed. The
 * engine runs any scenario against any target; nothing in here knows sockets or threads. `checkScenario` is the
 * gate: everything behind it may take the values as they are.
 */
import { ConfigFailure } from '../src/base/failure.ts';

/** Operations of the load. The position in this list is the op's number in shared arrays. */
export const LOAD_OPS = ['get', 'exists', 'set'] as const;
export type LoadOp = (typeof LOAD_OPS)[number];

export type KeyChoice =
  | { readonly kind: 'uniform' }
  | { readonly kind: 'sequential' }
  /** P(k) ~ 1 / (k + 1)^exponent over a seeded shuffle of the keys. */
  | { readonly kind: 'zipf'; readonly exponent: number };

export type Arrival =
  /** Every connection keeps its window full: latency counts from the instant of sending. */
  | { readonly kind: 'closed' }
  /** Requests are due at a rate, whatever the server does: latency counts from the instant they were due. */
  | {
      readonly kind: 'constant' | 'poisson';
      readonly ratePerSecond: number;
      /** What happens to a request that is due while the window is full. */
      readonly late: 'drop' | 'backlog';
    };

export interface TreePlan {
  /** Parent of the keys; made before the run and removed after it. */
  readonly root: string;
  readonly keyCount: number;
  readonly valueBytes: number;
  readonly keys: KeyChoice;
}

export interface PhasePlan {
  readonly name: string;
  /** Weights, in any unit. */
  readonly mix: Readonly<Partial<Record<LoadOp, number>>>;
  readonly arrival: Arrival;
  readonly warmupMs: number;
  readonly measureMs: number;
}

export interface ProbePlan {
  readonly periodMs: number;
  /** An answer later than this after the probe was due does not count as up. */
  readonly deadlineMs: number;
}

export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly seed: number;
  readonly tree: TreePlan;
  readonly connectionCount: number;
  /** Requests a connection has in flight at most. */
  readonly outstanding: number;
  readonly workerCount: number;
  readonly phases: readonly PhasePlan[];
  readonly probes: ProbePlan;
}

export const LIMITS = {
  connectionCount: { min: 1, max: 20_000 },
  outstanding: { min: 1, max: 4_096 },
  workerCount: { min: 1, max: 256 },
  keyCount: { min: 1, max: 1_000_000 },
  valueBytes: { min: 0, max: 1_000_000 },
  phaseMs: { min: 10, max: 86_400_000 },
  ratePerSecond: { min: 1, max: 50_000_000 },
  probePeriodMs: { min: 1, max: 60_000 },
  zipfExponent: { min: 0.01, max: 10 },
} as const;

/** @throws ConfigFailure naming field, value and what is allowed. */
export function checkScenario(scenario: Scenario): void {
  const { tree, probes } = scenario;
  within('connectionCount', scenario.connectionCount, LIMITS.connectionCount);
  within('outstanding', scenario.outstanding, LIMITS.outstanding);
  within('workerCount', scenario.workerCount, LIMITS.workerCount);
  require_(
    scenario.workerCount <= scenario.connectionCount,
    `workerCount: ${scenario.workerCount} - at most one worker per connection (${scenario.connectionCount})`,
  );
  require_(Number.isInteger(scenario.seed), `seed: ${scenario.seed} - an integer is needed`);
  require_(
    /^(\/[A-Za-z0-9._-]+)+$/.test(tree.root),
    `tree.root: "${tree.root}" - an absolute path of plain names is needed, e.g. /bench`,
  );
  within('tree.keyCount', tree.keyCount, LIMITS.keyCount);
  within('tree.valueBytes', tree.valueBytes, LIMITS.valueBytes);
  if (tree.keys.kind === 'zipf') {
    within('tree.keys.exponent', tree.keys.exponent, LIMITS.zipfExponent, false);
  }
  require_(scenario.phases.length > 0, 'phases: empty - at least one phase is needed');
  for (const phase of scenario.phases) checkPhase(phase);
  within('probes.periodMs', probes.periodMs, LIMITS.probePeriodMs);
  within('probes.deadlineMs', probes.deadlineMs, LIMITS.phaseMs);
}

/** Planned duration of all phases, without set-up and tear-down. */
export function plannedMs(scenario: Scenario): number {
  return scenario.phases.reduce((sum, phase) => sum + phase.warmupMs + phase.measureMs, 0);
}

function checkPhase(phase: PhasePlan): void {
  const where = `phases.${phase.name}`;
  const weights = LOAD_OPS.map((op) => phase.mix[op] ?? 0);
  for (const key of Object.keys(phase.mix)) {
    require_(
      (LOAD_OPS as readonly string[]).includes(key),
      `${where}.mix: unknown operation "${key}" - allowed: ${LOAD_OPS.join(', ')}`,
    );
  }
  require_(
    weights.every((weight) => Number.isFinite(weight) && weight >= 0) && weights.some((weight) => weight > 0),
    `${where}.mix: ${JSON.stringify(phase.mix)} - weights >= 0 with at least one above 0 are needed`,
  );
  require_(
    phase.warmupMs >= 0 && phase.warmupMs <= LIMITS.phaseMs.max,
    `${where}.warmupMs: ${phase.warmupMs} - allowed: 0 to ${LIMITS.phaseMs.max}`,
  );
  within(`${where}.measureMs`, phase.measureMs, LIMITS.phaseMs, false);
  if (phase.arrival.kind !== 'closed') {
    within(`${where}.arrival.ratePerSecond`, phase.arrival.ratePerSecond, LIMITS.ratePerSecond, false);
  }
}

function within(
  field: string,
  value: number,
  range: { readonly min: number; readonly max: number },
  integer = true,
): void {
  require_(
    value >= range.min && value <= range.max && (!integer || Number.isInteger(value)),
    `${field}: ${value} - allowed: ${integer ? 'whole numbers from ' : ''}${range.min} to ${range.max}`,
  );
}

function require_(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConfigFailure(`scenario: ${message}`);
}
