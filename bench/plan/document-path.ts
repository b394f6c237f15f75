/**
 * Dotted paths into a plan document, as `--set` and sweeps use them: `connections`, `phases.read.measure`,
 * `phases.read.arrival.steps.0.rate`. A path names what a plan file says, not what a `Plan` holds.
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import { suggestion } from './did-you-mean.ts';
import { isMapping } from './field.ts';

/** Behind `sweep`, the rest of a path is one key: it is a path itself. */
export function splitPath(path: string): string[] {
  return path.startsWith('sweep.') ? ['sweep', path.slice('sweep.'.length)] : path.split('.');
}

/**
 * A copy of the document with one value changed. Mappings on the way are made where they are missing, also in the
 * place of a shorthand (`arrival: closed`). Whether the key exists is for the schema to say.
 * @throws ConfigFailure for a phase or list item that the document does not have.
 */
export function withValueAt(document: unknown, path: string, value: unknown): unknown {
  return withValue(document, splitPath(path), value, path, []);
}

function withValue(
  node: unknown,
  rest: readonly string[],
  value: unknown,
  path: string,
  done: readonly string[],
): unknown {
  const [key, ...deeper] = rest;
  if (key === undefined) return value;
  if (Array.isArray(node)) {
    if (!/^\d+$/.test(key) || Number(key) >= node.length) {
      throw new ConfigFailure(`${path}: "${key}" - allowed: an item from 0 to ${node.length - 1}`);
    }
    return node.with(Number(key), withValue(node[Number(key)], deeper, value, path, [...done, key]));
  }
  const mapping = isMapping(node) ? node : {};
  if (done.length === 1 && done[0] === 'phases' && !Object.hasOwn(mapping, key)) {
    const names = Object.keys(mapping);
    throw new ConfigFailure(
      `${path}: no phase "${key}"${suggestion(key, names) || ' -'} allowed: ${names.join(', ')}`,
    );
  }
  const child = Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  const entries = Object.entries(mapping);
  const entry = [key, withValue(child, deeper, value, path, [...done, key])] as const;
  // Rebuilt in order, because phases run in the order of the file.
  return Object.fromEntries(
    Object.hasOwn(mapping, key) ? entries.map((old) => (old[0] === key ? entry : old)) : [...entries, entry],
  );
}
