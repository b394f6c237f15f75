/**
 * `node bench/plan/main.ts` prints the reference of plan files; `--write bench/plan/PLANS.md` puts it between the marks
 * in that file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { planReference, withPlanReference } from './reference.ts';

const [option, file] = process.argv.slice(2);
if (option === undefined) {
  process.stdout.write(`${planReference()}\n`);
} else if (option === '--write' && file !== undefined) {
  writeFileSync(file, withPlanReference(readFileSync(file, 'utf8')));
} else {
  process.stderr.write('usage: main.ts [--write <file>]\n');
  process.exit(2);
}
