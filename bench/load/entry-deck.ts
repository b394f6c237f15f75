/**
 * Which entry of a mix comes next: a shuffled deck that holds the weights as exactly as its size allows, dealt round
 * and round. A deck instead of dice, so that two runs send the same mix and not only nearly the same.
 */
import type { Prng } from '../../src/base/prng.ts';

/** Entry numbers, shuffled. */
export function dealDeck(weights: readonly number[], size: number, prng: Prng): Uint8Array {
  const sum = weights.reduce((a, b) => a + b, 0);
  const deck = new Uint8Array(size);
  let dealt = 0;
  let cumulated = 0;
  weights.forEach((weight, entry) => {
    cumulated += weight;
    const end = Math.round((cumulated / sum) * size);
    deck.fill(entry, dealt, end);
    dealt = end;
  });
  for (let card = size - 1; card > 0; card--) {
    const other = prng.below(card + 1);
    const entry = deck[card]!;
    deck[card] = deck[other]!;
    deck[other] = entry;
  }
  return deck;
}
