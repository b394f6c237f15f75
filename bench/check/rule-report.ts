/** How often one rule was broken, and the first examples as sentences. */
import type { CheckResult } from '../result/run-json.ts';

const EXAMPLES_MAX = 5;

export class RuleReport {
  readonly rule: string;
  private readonly examples: string[] = [];
  private count = 0;

  constructor(rule: string) {
    this.rule = rule;
  }

  get violations(): number {
    return this.count;
  }

  /** `describe` is asked for the first few only: a broken server may break a rule a million times. */
  add(describe: () => string): void {
    if (this.count++ < EXAMPLES_MAX) this.examples.push(describe());
  }

  toResult(): CheckResult['rules'][number] {
    return { rule: this.rule, violations: this.count, examples: this.examples };
  }
}
