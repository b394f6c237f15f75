/**
 * Patterns of names: `*` any letters but `/`, `**` any at all, `?` one letter, `[a-z]` one of these. Pure.
 */

/** Matches the whole text. */
export function globPattern(glob: string): RegExp {
  let source = '';
  for (let at = 0; at < glob.length; ) {
    const part = partAt(glob, at);
    source += part.source;
    at += part.length;
  }
  return new RegExp(`^${source}$`, 'su');
}

function partAt(glob: string, at: number): { readonly source: string; readonly length: number } {
  const letter = String.fromCodePoint(glob.codePointAt(at)!);
  if (letter === '*')
    return glob[at + 1] === '*' ? { source: '.*', length: 2 } : { source: '[^/]*', length: 1 };
  if (letter === '?') return { source: '[^/]', length: 1 };
  const close = letter === '[' ? glob.indexOf(']', at + 2) : -1;
  if (close > 0) {
    const inside = glob.slice(at + 1, close).replace(/[\\\]^[]/g, '\\$&');
    // `[!a]` and `[^a]` are all but these.
    const negated = /^(?:!|\\\^)/.test(inside);
    const letters = negated ? inside.replace(/^(?:!|\\\^)/, '') : inside;
    return { source: `[${negated ? '^' : ''}${letters}]`, length: close + 1 - at };
  }
  return { source: letter.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&'), length: letter.length };
}
