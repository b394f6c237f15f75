/**
 * The raw material of generated requests: paths, data, ACLs, limits, drawn so that operations meet often and oddities
 * are common enough to matter. Some areas of the tree have a purpose: below any component that begins with `p` ACLs may forbid reading
 * (elsewhere everyone may read), `/q` has quotas.
 */
import type { Prng } from '../../../src/base/prng.ts';
import type { Acl } from '../../support/request-bodies.ts';

const NAMES = ['a', 'b', 'c', 'p', 'q'];

export const ODD_PATHS: readonly (string | null)[] = [
  null,
  '',
  '/',
  'a',
  'a/b',
  '/a/',
  '/a//b',
  '//',
  '/.',
  '/..',
  '/a/.',
  '/a/..',
  '/a/./b',
  '/a/../b',
  '/...',
  '/.a',
  '/a..b',
  '/a b',
  '/a\\b',
  '/\u00e9\u4e2d',
  '/a\u0000b',
  '/\u0001',
  '/\u001f',
  '/\u007f',
  '/\u009f',
  '/\u00a0',
  '/\ud83d\ude00',
  '/\ue000',
  '/\uf8ff',
  '/\uf900',
  '/\uffef',
  '/\ufff0',
  '/\ufffd',
  '/zookeeper',
  '/zookeeper/config',
  '/zookeeper/quota',
  '/zookeeper/a',
  '/zookeeper/quota/a',
  `/${'long-name-'.repeat(200)}`,
  `/a${'/deep'.repeat(120)}`,
];

export const CREDENTIALS = ['alice:secret', 'bob:hunter2', 'super:test', 'nocolon', ':x', ''];

/** BASE64(SHA1(user:password)) of the first two credentials. */
const ALICE = 'alice:aYXlLOpEooaV1cRAvUL1fp9Qt7E=';
const BOB = 'bob:1Yu1ryCXOIF7lyFzbmQ5J+MJOZc=';

const READABLE: readonly (readonly Acl[])[] = [
  [{ perms: 31, scheme: 'world', id: 'anyone' }],
  [{ perms: 1, scheme: 'world', id: 'anyone' }],
  [{ perms: 1 | 4, scheme: 'world', id: 'anyone' }],
  [{ perms: 1 | 2 | 8, scheme: 'world', id: 'anyone' }],
  [
    { perms: 31, scheme: 'digest', id: ALICE },
    { perms: 1, scheme: 'world', id: 'anyone' },
  ],
  [
    { perms: 31, scheme: 'ip', id: '127.0.0.1' },
    { perms: 1, scheme: 'world', id: 'anyone' },
    { perms: 31, scheme: 'ip', id: '127.0.0.1' },
  ],
  [{ perms: 64 | 31, scheme: 'world', id: 'anyone' }],
];

const PRIVATE: readonly (readonly Acl[])[] = [
  [{ perms: 31, scheme: 'digest', id: ALICE }],
  [
    { perms: 31, scheme: 'digest', id: BOB },
    { perms: 4, scheme: 'world', id: 'anyone' },
  ],
  [{ perms: 2 | 4 | 8, scheme: 'world', id: 'anyone' }],
  [{ perms: 16, scheme: 'world', id: 'anyone' }],
  [{ perms: 0, scheme: 'world', id: 'anyone' }],
  [{ perms: -1, scheme: 'digest', id: BOB }],
  [{ perms: 31, scheme: 'ip', id: '10.0.0.0/8' }],
  [{ perms: 31, scheme: 'ip', id: '127.0.0.0/8' }],
  [{ perms: 31, scheme: 'ip', id: '127.0.0.2/31' }],
  [
    { perms: 1, scheme: 'ip', id: '0.0.0.0/0' },
    { perms: 30, scheme: 'digest', id: ALICE },
  ],
];

/** kazoo sends null for every empty text, Java and C for what was not set. */
export const ACLS_WITH_NULLS: readonly (readonly Acl[])[] = [
  [{ perms: 31, scheme: 'world', id: null }],
  [{ perms: 31, scheme: 'digest', id: null }],
  [{ perms: 31, scheme: 'ip', id: null }],
  [{ perms: 31, scheme: 'nosuch', id: null }],
  [{ perms: 31, scheme: null, id: null }],
  [
    { perms: 31, scheme: 'nosuch', id: 'x' },
    { perms: 31, scheme: 'world', id: null },
  ],
  [
    { perms: 31, scheme: 'world', id: 'anyone' },
    { perms: 31, scheme: null, id: 'x' },
  ],
  [
    { perms: 31, scheme: null, id: 'x' },
    { perms: 1, scheme: null, id: 'x' },
  ],
  [
    { perms: 31, scheme: 'world', id: 'anyone' },
    { perms: 1, scheme: null, id: 'x' },
  ],
  [
    { perms: 31, scheme: 'auth', id: null },
    { perms: 31, scheme: 'auth', id: null },
  ],
  [
    { perms: 31, scheme: 'nosuch', id: 'x' },
    { perms: 31, scheme: 'nosuch', id: null },
  ],
  [
    { perms: 31, scheme: 'nosuch', id: null },
    { perms: 31, scheme: 'nosuch', id: 'x' },
  ],
  [
    { perms: 1, scheme: 'world', id: 'anyone' },
    { perms: 31, scheme: 'world', id: null },
  ],
];

const INVALID: readonly (readonly Acl[] | null)[] = [
  null,
  [],
  [{ perms: 31, scheme: 'world', id: 'bob' }],
  [{ perms: 31, scheme: 'super', id: 'x' }],
  [{ perms: 31, scheme: 'nosuch', id: 'x' }],
  [{ perms: 31, scheme: null, id: 'anyone' }],
  [{ perms: 31, scheme: 'digest', id: 'nocolon' }],
  [{ perms: 31, scheme: 'digest', id: 'a:b:c' }],
  [{ perms: 31, scheme: 'digest', id: 'a:' }],
  [{ perms: 31, scheme: 'ip', id: '1.2.3' }],
  [{ perms: 31, scheme: 'ip', id: '1.2.3.4/33' }],
  [{ perms: 31, scheme: 'ip', id: '256.1.1.1' }],
  [{ perms: 31, scheme: 'ip', id: 'localhost' }],
  [{ perms: 31, scheme: 'x509', id: 'CN=a' }],
  [
    { perms: 31, scheme: 'world', id: 'anyone' },
    { perms: 31, scheme: 'digest', id: 'bad' },
  ],
];

const QUOTA_LIMITS = [
  'count=3,bytes=-1',
  'count=-1,bytes=20',
  'count=5,bytes=100=;byteHardLimit=30;countHardLimit=4',
  'count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=3',
  'count=-1,bytes=-1=;byteHardLimit=25;countHardLimit=-1',
];

export const QUOTA_PATHS: readonly string[] = [
  '/zookeeper/quota/q',
  '/zookeeper/quota/q/zookeeper_limits',
  '/zookeeper/quota/q/zookeeper_stats',
];

/** True where an ACL may forbid reading; a sequence number may follow the `p`. */
export function isPrivate(path: string | null): boolean {
  return path?.includes('/p') ?? false;
}

export function freshPath(prng: Prng, parents: readonly string[]): string {
  const parent = parents.length > 0 && prng.chance(0.7) ? prng.pick(parents) : '';
  const prefix = parent === '/' || parent.split('/').length > 4 ? '' : parent;
  const below = prng.chance(0.1) ? `/${prng.pick(NAMES)}` : '';
  return `${prefix}${below}/${prng.pick(NAMES)}`;
}

/** `authIds`: how many ids the caller has; the order of several in an expanded `auth` entry is undefined. */
export function acls(prng: Prng, path: string | null, authIds: number): readonly Acl[] | null {
  if (prng.chance(0.06)) return prng.pick(INVALID);
  if (authIds <= 1 && prng.chance(0.06) && (authIds === 0 || isPrivate(path))) {
    return [{ perms: 31, scheme: 'auth', id: prng.chance(0.5) ? '' : 'ignored' }];
  }
  if (isPrivate(path) && prng.chance(0.5)) return prng.pick(PRIVATE);
  return prng.chance(0.7) ? READABLE[0]! : prng.pick(READABLE);
}

export function bytes(prng: Prng): Uint8Array | null {
  if (prng.chance(0.08)) return null;
  const length = prng.chance(0.03) ? prng.below(60_000) : prng.chance(0.2) ? 0 : prng.below(40);
  const value = new Uint8Array(length);
  for (let i = 0; i < length; i++) value[i] = prng.below(256);
  return value;
}

export function quotaLimits(prng: Prng): Uint8Array {
  return new TextEncoder().encode(prng.pick(QUOTA_LIMITS));
}
