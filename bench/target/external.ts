/** A running service at one or several addresses, started by somebody else. */
import { ConfigFailure } from '../../src/base/failure.ts';
import { type Address, addressText } from '../base/address.ts';
import { withSession } from '../session/raw-session.ts';
import type { Target } from './target.ts';
import type { TargetSpec } from './target-spec.ts';

const CONNECT_MS_MAX = 5_000;

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
  const count = spec.addresses.length;
  return {
    name: 'external',
    description: `a service that was already running${count === 1 ? '' : `, ${count} servers`}`,
    addresses: spec.addresses,
    pid: null,
    dataDir: null,
    failure: null,
    whyNotServing: () => whyNotServing(spec.addresses),
    gcLogFile: null,
    javaVersion: null,
    settings: {},
    stop: async () => {},
  };
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
