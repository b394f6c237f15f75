/**
 * What kind of znode a Stat is of: servers keep it in `ephemeralOwner`.
 *
 *     0                      persistent
 *     0x8000000000000000     container
 *     0xff0000 + 40 bits     TTL in ms; only where the server knows extended types, and then no session id begins so
 *     anything else          ephemeral: the session that owns it
 */
import type { Stat } from '../../client/index.ts';

export type ZnodeKind = 'persistent' | 'ephemeral' | 'container' | 'ttl';
export const ZNODE_KINDS: readonly ZnodeKind[] = ['persistent', 'ephemeral', 'container', 'ttl'];

const CONTAINER = 1n << 63n;
const TTL_BITS = 40n;
const TTL_MASK = (1n << TTL_BITS) - 1n;
/** Sixteen bits for the feature, of which zero is the TTL. */
const TTL_PREFIX = 0xff0000n;

export function kindOf(stat: Stat): ZnodeKind {
  const owner = BigInt.asUintN(64, stat.ephemeralOwner);
  if (owner === 0n) return 'persistent';
  if (owner === CONTAINER) return 'container';
  return owner >> TTL_BITS === TTL_PREFIX ? 'ttl' : 'ephemeral';
}

/** null for any other kind. */
export function ttlMsOf(stat: Stat): number | null {
  return kindOf(stat) === 'ttl' ? Number(BigInt.asUintN(64, stat.ephemeralOwner) & TTL_MASK) : null;
}
