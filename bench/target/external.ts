/** A running service at one or several addresses, started by somebody else. */
import { ConfigFailure } from '../../src/base/failure.ts';
import { type Address, addressText } from '../base/address.ts';
import { withSession } from '../session/session.ts';
import { askWord } from './four-letter-word.ts';
import type { Target } from './target.ts';
import type { TargetSpec } from './target-spec.ts';

const CONNECT_MS_MAX = 5_000;
const ANSWER_MS_MAX = 2_000;

/**
 * One server of the list that answers is enough: the others may be down on purpose.
 * @throws ConfigFailure naming every server and what is wrong with it, when none answers.
 */
export async function connectExternal(spec: Extract<TargetSpec, { kind: 'external' }>): Promise<Target> {
  const problem = await whyNotServing(spec.addresses);
  if (problem !== null) {
    throw new ConfigFailure(
      `--target: "${spec.text}" - no server of it gives a session: ${problem} - start one, or check the list`,
    );
  }
  return {
    name: 'external',
    description: await describeServers(spec.addresses),
    addresses: spec.addresses,
    servers: spec.addresses.map((address) => ({
      ...{ name: addressText(address), address },
      ...{ pid: null, gcLogFile: null },
    })),
    isOurs: false,
    dataDir: null,
    failure: null,
    whyNotServing: () => whyNotServing(spec.addresses),
    javaVersion: null,
    settings: {},
    stop: async () => {},
  };
}

/** `zk1:2181, zk2:2181 (ZooKeeper 3.8.0)`: what somebody else started is known by its address and what it says it is. */
async function describeServers(addresses: readonly Address[]): Promise<string> {
  const answers = await Promise.all(addresses.map((address) => askWord(address, 'srvr', ANSWER_MS_MAX)));
  const versions = new Set(answers.flatMap((answer) => versionIn(answer ?? '') ?? []));
  const version = versions.size === 0 ? 'it does not tell its version' : [...versions].join(', ');
  return `${addresses.map(addressText).join(', ')} (${version})`;
}

/** Of `Zookeeper version: 3.8.0-5a02a05eddb59aee..., built on ...`; null when the answer says none. */
export function versionIn(answer: string): string | null {
  const version = /^Zookeeper version: ([^,\n]+)/m
    .exec(answer)?.[1]
    ?.replace(/-(?:[0-9a-f]{20,}|\$\{.*)$/, '');
  return version === undefined ? null : `ZooKeeper ${version.trim()}`;
}

/** What is wrong with each of them; null when one gives a session. */
async function whyNotServing(addresses: readonly Address[]): Promise<string | null> {
  const problems = await Promise.all(addresses.map(findProblem));
  return problems.every((problem) => problem !== null) ? problems.join('; ') : null;
}

async function findProblem(address: Address): Promise<string | null> {
  try {
    await withSession(address, CONNECT_MS_MAX, async () => {});
    return null;
  } catch (error) {
    return `${addressText(address)}: ${(error as Error).message}`;
  }
}
