/**
 * `node src/bin/config-reference.ts` prints the configuration reference; `--write README.md` puts it between the
 * marks in that file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { configReference, withConfigReference } from '../server/config/config-reference.ts';

const [option, file] = process.argv.slice(2);
if (option === undefined) {
  process.stdout.write(`${configReference()}\n`);
} else if (option === '--write' && file !== undefined) {
  writeFileSync(file, withConfigReference(readFileSync(file, 'utf8')));
} else {
  process.stderr.write('usage: config-reference.ts [--write <file>]\n');
  process.exit(2);
}
