/** YAML text of a plan: syntax errors and wrong values are named with file, line and column. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Origin, PlanPath } from './issue.ts';

export interface PlanSource {
  /** What the file holds, as plain data. */
  readonly document: unknown;
  /** The file or preset, for messages. */
  readonly origin: string;
  /** `file:line:column` of the key a path leads to, or of the nearest one above it. */
  readonly locate: Origin;
}

/** The document alone, not yet checked. @throws ConfigFailure for what is not YAML. */
export function readPlanText(yaml: string, origin: string): PlanSource {
  const lineCounter = new LineCounter();
  const parsed = parseDocument(yaml, { lineCounter, prettyErrors: false, merge: true });
  const placeAt = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${origin}:${line}:${col}`;
  };
  const problem = parsed.errors[0] ?? parsed.warnings[0];
  if (problem !== undefined) {
    throw new ConfigFailure(`${placeAt(problem.pos[0])}: not valid YAML: ${problem.message}`);
  }
  visit(parsed, {
    Alias: (_, alias) => {
      if (alias.resolve(parsed) !== undefined) return;
      const text = `no anchor &${alias.source} before this alias`;
      throw new ConfigFailure(`${placeAt(alias.range![0])}: not valid YAML: ${text}`);
    },
  });
  return {
    document: plainData(parsed, origin),
    origin,
    locate: (path) => {
      const offset = offsetOf(parsed, path);
      return offset === null ? origin : placeAt(offset);
    },
  };
}

function plainData(parsed: Document.Parsed, origin: string): unknown {
  try {
    return parsed.toJS();
  } catch (error) {
    // Aliases of aliases that make so many copies that it can only be an attack.
    throw new ConfigFailure(`${origin}: not valid YAML: ${(error as Error).message}`);
  }
}

function offsetOf(parsed: Document.Parsed, path: PlanPath): number | null {
  let node: Node | null | undefined = parsed.contents;
  let offset: number | null = null;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(parsed);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = node.items[Number(step)] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}
