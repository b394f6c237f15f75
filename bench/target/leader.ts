/** What the servers of a list say of themselves, by the word `srvr`, which every server answers by default. */
import type { Address } from '../base/address.ts';
import { askWord } from './four-letter-word.ts';

const ANSWER_MS_MAX = 2_000;

/** The server that leads the others, or the only one there is; null when nobody says so. */
export async function findLeader(addresses: readonly Address[]): Promise<Address | null> {
  const modes = await Promise.all(addresses.map(async (address) => modeOf(await askServer(address))));
  const at = modes.findIndex((mode) => mode === 'leader' || mode === 'standalone');
  return addresses[at] ?? null;
}

/** Znodes in the tree, as the first server that answers counts them. */
export async function readNodeCount(addresses: readonly Address[]): Promise<number | null> {
  const answers = await Promise.all(addresses.map(askServer));
  for (const answer of answers) {
    const count = /^Node count: (\d+)$/m.exec(answer ?? '');
    if (count !== null) return Number(count[1]);
  }
  return null;
}

function askServer(address: Address): Promise<string | null> {
  return askWord(address, 'srvr', ANSWER_MS_MAX);
}

function modeOf(answer: string | null): string | null {
  return /^Mode: (\w+)/m.exec(answer ?? '')?.[1] ?? null;
}
