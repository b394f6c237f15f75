/**
 * Paths that all have one hash under FNV-1a, which the server's tables once used without a key. Not found by luck:
 * two blocks are sought that lead from one state of the hash to the same next one, and from there again, so that n
 * places with a choice of two blocks give 2^n paths for n short searches.
 */
const FNV_START = 0x811c9dc5 | 0;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const LETTERS = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0));
const BLOCK_BYTES = 4;

/** `count` different paths, a power of two. */
export function collidingUnderFnv(count: number): Uint8Array[] {
  let state = run(FNV_START, Buffer.from('/'));
  let paths: Buffer[] = [Buffer.from('/')];
  while (paths.length < count) {
    const [one, other] = collidingBlocks(state);
    paths = paths.flatMap((path) => [Buffer.concat([path, one]), Buffer.concat([path, other])]);
    state = run(state, one);
  }
  return paths;
}

/** As the tables had it: FNV-1a and a final mix. */
export function fnv1a(bytes: Uint8Array): number {
  let state = run(FNV_START, bytes);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return state ^ (state >>> 16);
}

function run(state: number, bytes: Uint8Array): number {
  for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193);
  return state;
}

function collidingBlocks(state: number): [Buffer, Buffer] {
  const seen = new Map<number, number>();
  for (let number = 0; number < ALPHABET.length ** BLOCK_BYTES; number++) {
    const next = runBlock(state, number);
    const before = seen.get(next);
    if (before !== undefined) return [block(before), block(number)];
    seen.set(next, number);
  }
  throw new Error('no two blocks of four letters lead to one state');
}

/** As `run` of `block(number)`, without the block: most of them are only looked at. */
function runBlock(state: number, number: number): number {
  for (let i = 0; i < BLOCK_BYTES; i++) {
    state = Math.imul(state ^ LETTERS[number % LETTERS.length]!, 0x01000193);
    number = Math.floor(number / LETTERS.length);
  }
  return state;
}

function block(number: number): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  for (let i = 0; i < BLOCK_BYTES; i++) {
    bytes[i] = ALPHABET.charCodeAt(number % ALPHABET.length);
    number = Math.floor(number / ALPHABET.length);
  }
  return bytes;
}
