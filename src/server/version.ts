/**
 * Who this server says it is. Tools written for Apache compare versions by the part before the first `-`, so that
 * part names the release whose behaviour is the baseline; our own version follows as the qualifier.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The Apache release whose behaviour clients may rely on. */
export const COMPATIBLE_VERSION = '3.8.0';
/** When this version was released; the reference prints the time of its build. */
const RELEASED_AT = '2026-11-20 00:00 UTC';

/** Of the package this file belongs to: the same distance away in src/server and in dist/server. */
export function packageVersion(): string {
  const file = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** As the words srvr, stat, envi and mntr print it: `3.8.0-ringkeeper-0.1.0, built on 2026-11-20 00:00 UTC`. */
export function versionLine(): string {
  return `${COMPATIBLE_VERSION}-ringkeeper-${packageVersion()}, built on ${RELEASED_AT}`;
}
