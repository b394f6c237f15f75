/**
 * The one place that knows what third-party software a test needs and how a user gets it. `need` gives the reason
 * to skip (for node:test's `skip` option) or false; the runner prints the reason, so nothing is skipped silently.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { apacheInstalled } from './apache.ts';
import { ringkeeperBuilt } from './ringkeeper.ts';

/** The distribution's interpreter: packages of the distribution are invisible to any other. */
export const PYTHON = '/usr/bin/python3';
export const CLI_MT = '/usr/lib/zookeeper/bin/cli_mt';

const REQUIREMENTS = {
  java: { present: () => onPath('java'), packages: 'default-jre-headless' },
  zookeeper: { present: apacheInstalled, packages: 'zookeeper' },
  curator: {
    present: curatorInstalled,
    packages: 'default-jdk-headless libcurator-recipes-java libcurator-discovery-java zookeeper',
  },
  cli_mt: { present: () => existsSync(CLI_MT), packages: 'zookeeper-bin' },
  script: { present: () => onPath('script'), packages: 'bsdutils' },
  kazoo: { present: kazooImportable, packages: 'python3-kazoo python3-pytest' },
  gcc: {
    present: () => onPath('gcc') && existsSync('/usr/include/zookeeper/zookeeper.h'),
    packages: 'gcc libc6-dev libzookeeper-mt-dev',
  },
} as const;

/** Debian's folder of Java libraries. */
export const JARS = '/usr/share/java';

function curatorInstalled(): boolean {
  const jars = ['curator-recipes.jar', 'curator-x-discovery.jar', 'zookeeper-recipes-lock.jar'];
  return onPath('javac') && jars.every((jar) => existsSync(join(JARS, jar)));
}

export type Requirement = keyof typeof REQUIREMENTS;

export function need(...requirements: readonly Requirement[]): string | false {
  const missing = requirements.filter((name) => !REQUIREMENTS[name].present());
  if (missing.length === 0) return false;
  const packages = missing.map((name) => REQUIREMENTS[name].packages).join(' ');
  return `needs ${missing.join(', ')}: apt-get install ${packages}`;
}

/** Reason to skip everything that drives our own server while its entry point does not exist. */
export function needRingkeeper(): string | false {
  return ringkeeperBuilt() ? false : 'src/bin/ringkeeper.js is missing';
}

function onPath(command: string): boolean {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((directory) => existsSync(join(directory, command)));
}

function kazooImportable(): boolean {
  if (!existsSync(PYTHON)) return false;
  try {
    execFileSync(PYTHON, ['-c', 'import kazoo.tests, pytest'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
