/**
 * The trees of the campaign: the same number of znodes of 100 bytes in three shapes, parents before children.
 *
 *     flat   /flat/0000042            all under one parent: the longest list of children there is
 *     deep   /deep/3/0/1/...          four children each: long paths, many parents
 *     wide   /wide/d0042/0000042      a thousand directories, named as the load generator names its keys: the tree that
 *                                     is put under load and that servers are started on
 */
import { KeySpace } from '../../load/key-space.ts';
import type { TreePlan } from '../../plan/plan.ts';

export const SHAPES = ['flat', 'deep', 'wide'] as const;
export type Shape = (typeof SHAPES)[number];

export const DATA = new Uint8Array(100).fill(120);
export const WIDE_ROOT = '/wide';
const DIRECTORIES_MAX = 1_000;
const FAN_OUT = 4;

function wideDirectories(nodes: number): number {
  return Math.max(2, Math.min(DIRECTORIES_MAX, Math.floor(nodes / 20)));
}

/** The keys of the wide tree of `nodes` znodes: all but the root and the directories. */
export function wideTree(nodes: number): TreePlan {
  const directories = wideDirectories(nodes);
  return {
    root: WIDE_ROOT,
    keyCount: nodes - 1 - directories,
    directories,
    values: { kind: 'fixed', bytes: DATA.length },
  };
}

/** `nodes` paths, the root `/<shape>` first. */
export function treePaths(shape: Shape, nodes: number): string[] {
  if (shape === 'flat') return flatPaths(nodes);
  return shape === 'deep' ? deepPaths(nodes) : widePaths(nodes);
}

function flatPaths(nodes: number): string[] {
  return Array.from({ length: nodes }, (_, i) =>
    i === 0 ? '/flat' : `/flat/node-${String(i).padStart(10, '0')}`,
  );
}

/** Breadth first. */
function deepPaths(nodes: number): string[] {
  const paths = ['/deep'];
  for (let parent = 0; paths.length < nodes; parent++) {
    for (let child = 0; child < FAN_OUT && paths.length < nodes; child++)
      paths.push(`${paths[parent]}/${child}`);
  }
  return paths;
}

function widePaths(nodes: number): string[] {
  const space = new KeySpace(wideTree(nodes));
  const keys = Array.from({ length: space.keyCount }, (_, key) => space.keyPath(key));
  return [space.root, ...space.subdirectories, ...keys];
}
