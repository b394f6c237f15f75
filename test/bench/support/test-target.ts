/** A target as the engine starts it, for tests that need one beside a run or look at the target itself. */
import { startTarget } from '../../../bench/target/start-target.ts';
import type { Target, TargetOptions } from '../../../bench/target/target.ts';
import { parseTargetSpec } from '../../../bench/target/target-spec.ts';

/** `text` as after `--target`. Its data goes to `tempParent`; the caller stops it. */
export function startTestTarget(
  text: string,
  tempParent: string,
  change: Partial<TargetOptions> = {},
): Promise<Target> {
  const options = { serverArgs: [], tempParent, valueBytes: 100, extendedTypes: false, ...change };
  return startTarget(parseTargetSpec(text), options);
}
