/**
 * Loaded into the process of each test file by `test/run.ts`: what the file has cost, as a line at its end. Without
 * `TEST_COSTS_FILE` it does nothing.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { type FileCost, TEST_COSTS_FILE } from './test-costs.ts';

const STAT_FILE = '/proc/self/stat';
/** Of Linux on every machine that Node runs on. */
const TICKS_PER_SECOND = 100;

if (isMainThread) {
  const costsFile = process.env[TEST_COSTS_FILE];
  delete process.env[TEST_COSTS_FILE];
  if (costsFile !== undefined) {
    process.on('exit', () => {
      const cost: FileCost = {
        // Of files that share a process without the folder in which it was made.
        file: relative(process.cwd(), process.argv[1] ?? '?').replace(/^\.\..*?(?=test\/)/, ''),
        seconds: performance.now() / 1000,
        cpuSeconds: cpuSeconds(),
      };
      appendFileSync(costsFile, `${JSON.stringify(cost)}\n`);
    });
  }
}

/** Of this process and of those that it has started and seen end; elsewhere than on Linux of this one alone. */
function cpuSeconds(): number {
  if (process.platform !== 'linux') {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }
  const text = readFileSync(STAT_FILE, 'latin1');
  // The name in brackets may hold spaces: utime, stime, cutime, cstime are the fields 12 to 15 behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / TICKS_PER_SECOND;
}
