/**
 * Who this server says it is. Tools written for Apache compare versions by the part before the first `-`, so that
 * part names the release whose behaviour is the baseline; our own version follows as the qualifier.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assert } from '../../base/assert.ts';

/** The Apache release whose behaviour clients may rely on. */
export const COMPATIBLE_VERSION = '3.8.0';

interface Manifest {
  readonly version: string;
  /** When this version was released; the reference prints the time of its build. */
  readonly releaseDate: string;
}

/** Read once: the files of a running server may be replaced by the next version's. */
const manifest = readManifest();

/** Of the package this file belongs to. */
export function packageVersion(): string {
  return manifest.version;
}

function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(packageRoot(import.meta.dirname), 'package.json'), 'utf8')) as Manifest;
}

/** The package's directory, from src/server and from dist/src/server: the first one upwards with a package.json. */
export function packageRoot(directory: string): string {
  if (existsSync(join(directory, 'package.json'))) return directory;
  const parent = dirname(directory);
  assert(parent !== directory, 'the package has a package.json');
  return packageRoot(parent);
}

/** As the words srvr, stat, envi and mntr print it: `3.8.0-ringkeeper-0.1.0, built on 2026-11-20 00:00 UTC`. */
export function versionLine(): string {
  return `${COMPATIBLE_VERSION}-ringkeeper-${manifest.version}, built on ${manifest.releaseDate}`;
}
