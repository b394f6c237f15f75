/** What test files cost, and the table of the dearest: `test/run.ts` prints it, `measure-cost.ts` in each file measures. */

/** Names the file in the environment that gets a line for each test file. */
export const TEST_COSTS_FILE = 'RINGKEEPER_TEST_COSTS_FILE';

export interface FileCost {
  readonly file: string;
  /** From start to end. */
  readonly seconds: number;
  /** User and system, of its process and of those it has started. */
  readonly cpuSeconds: number;
}

const SHOWN_FILES = 15;
/** The whole run in continuous integration. */
const AIM_SECONDS = 300;
/** Of which each core is busy at most: the rest is checks, waits, the last file. */
const BUSY_AIM_SECONDS = 240;

/** `lines`: a FileCost each. The run took `seconds` on `coreCount` cores. The dearest by CPU, then those that take longest. */
export function costTable(lines: string, seconds: number, coreCount: number): string {
  const costs = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FileCost);
  const cpuSeconds = costs.reduce((sum, cost) => sum + cost.cpuSeconds, 0);
  const share = Math.round((100 * cpuSeconds) / (seconds * coreCount));
  const leastSeconds = Math.ceil(cpuSeconds / coreCount);
  const row = (cpu: string, wall: string, text: string): string =>
    `${cpu.padStart(8)}${wall.padStart(9)}  ${text}`;
  const rows = (key: 'cpuSeconds' | 'seconds'): string[] =>
    costs
      .toSorted((a, b) => b[key] - a[key])
      .slice(0, SHOWN_FILES)
      .map((cost) => row(cost.cpuSeconds.toFixed(1), cost.seconds.toFixed(1), cost.file));
  return [
    row('CPU s', 'seconds', `dearest of ${costs.length} files`),
    ...rows('cpuSeconds'),
    row('', '', 'slowest'),
    ...rows('seconds'),
    row(cpuSeconds.toFixed(1), seconds.toFixed(1), `all files: ${share} % of ${coreCount} cores`),
    `The sum of CPU takes ${coreCount} cores ${leastSeconds} s at least. The aim: ${AIM_SECONDS} s for the run, hence no more`,
    `than ${coreCount * BUSY_AIM_SECONDS} s of CPU, since cores wait now and then.`,
  ].join('\n');
}
