/**
 * What kind of znode a Stat is of. Servers tell clients of ephemerals only: `ephemeralOwner` is 0 for containers and znodes
 * with a TTL too, and no request says more. So a dump knows two kinds; a file made by another tool may say all four, and
 * `restore` makes them.
 */
import type { Stat } from '../../client/index.ts';

export type SeenKind = 'persistent' | 'ephemeral';
export type ZnodeKind = SeenKind | 'container' | 'ttl';
export const SEEN_KINDS: readonly SeenKind[] = ['persistent', 'ephemeral'];
export const ZNODE_KINDS: readonly ZnodeKind[] = [...SEEN_KINDS, 'container', 'ttl'];

export function kindOf(stat: Stat): SeenKind {
  return stat.ephemeralOwner === 0n ? 'persistent' : 'ephemeral';
}
