/** What the servers of a list say of themselves, by the word `srvr`, which every server answers by default. */
import type { Address } from '../base/address.ts';
import { askWord } from './four-letter-word.ts';

const ANSWER_MS_MAX = 2_000;

export interface ServiceState {
  /** Without the build behind it. */
  readonly version: string;
  readonly mode: string;
  readonly znodes: number;
  /** To this server, without the one that asks. */
  readonly connections: number;
}

/** As the first server that answers says it; null when none does. */
export async function readServiceState(addresses: readonly Address[]): Promise<ServiceState | null> {
  for (const answer of await Promise.all(addresses.map(askServer))) {
    const field = (pattern: RegExp): string | null => pattern.exec(answer ?? '')?.[1] ?? null;
    const znodes = field(/^Node count: (\d+)$/m);
    if (znodes === null) continue;
    const connections = Number(field(/^Connections: (\d+)$/m) ?? 1);
    return {
      version: field(/version: ([\w.]+)/) ?? 'unknown',
      mode: field(/^Mode: (\w+)/m) ?? 'unknown',
      znodes: Number(znodes),
      connections: Math.max(0, connections - 1),
    };
  }
  return null;
}

/** Znodes in the tree, as who leads counts them: the others may be behind. Else as the first that answers. */
export async function readNodeCount(addresses: readonly Address[]): Promise<number | null> {
  const answers = await Promise.all(addresses.map(askServer));
  const leads = answers.filter((answer) => /^Mode: (?:leader|standalone)$/m.test(answer ?? ''));
  for (const answer of [...leads, ...answers]) {
    const count = /^Node count: (\d+)$/m.exec(answer ?? '');
    if (count !== null) return Number(count[1]);
  }
  return null;
}

function askServer(address: Address): Promise<string | null> {
  return askWord(address, 'srvr', ANSWER_MS_MAX);
}

/** `leader`, `follower`, `observer`, `standalone` ...; null when it serves nobody. */
export async function readMode(address: Address): Promise<string | null> {
  const answer = await askServer(address);
  return /^Mode: (\w+)/m.exec(answer ?? '')?.[1] ?? null;
}
