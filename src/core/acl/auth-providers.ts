/**
 * The authentication schemes: who a caller can prove to be, which ids an ACL may name, and when the one matches
 * the other. Core thread; pure but for the injected digest.
 *
 *   scheme   caller's id from                    ACL id                       match
 *   world    -                                   "anyone" (not a provider)    always
 *   ip       the remote address, at connect      addr or addr/bits            equal after masking both
 *   digest   auth packet "user:password"         "user:<base64 digest>"       equal text
 *   super    digest equal to the configured one  not usable                   passes every check
 */

import { decodeUtf8, encodeUtf8 } from '../../wire/utf8.ts';
import type { CryptoPort } from '../ports/ports.ts';
import { TurnWork } from '../progress/turn-work.ts';
import type { AuthId } from './acl.ts';
import { SUPER } from './acl.ts';
import { Grants } from './grants.ts';
import { ipMatches, isIpPattern } from './ip-pattern.ts';

interface AuthProvider {
  readonly scheme: string;
  /** Whether an ACL entry of scheme `auth` expands to the caller's ids of this scheme. */
  readonly authenticated: boolean;
  /** Whether `id` may stand in an ACL. */
  isValidId(id: string): boolean;
  matches(callerId: string, aclId: string): boolean;
  /** `matches` is equality. */
  readonly matchesEqualText: boolean;
  /** The ids that an auth packet with `data` adds to the connection; null = refused. */
  authenticate(data: Uint8Array | null): readonly AuthId[] | null;
}

export interface AuthOptions {
  /** `skipACL=yes`: every permission check passes. */
  readonly skipAcl: boolean;
  readonly digestEnabled: boolean;
  /** `super:<base64 digest>`, or null. */
  readonly superDigest: string | null;
}

export class AuthProviders {
  readonly skipAcl: boolean;
  /** What long lists cost is charged here. */
  readonly work: TurnWork;
  /** What callers have under long lists. */
  readonly grants: Grants;
  private readonly byScheme = new Map<string, AuthProvider>();

  constructor(options: AuthOptions, crypto: CryptoPort, work = new TurnWork()) {
    this.work = work;
    this.grants = new Grants(work);
    this.skipAcl = options.skipAcl;
    this.add(ipProvider);
    if (options.digestEnabled) this.add(new DigestProvider(crypto, options.superDigest));
  }

  private add(provider: AuthProvider): void {
    this.byScheme.set(provider.scheme, provider);
  }

  get(scheme: string): AuthProvider | undefined {
    return this.byScheme.get(scheme);
  }

  /** The ids an auth packet adds; null = AUTHFAILED (unknown scheme or refused), and the connection closes. */
  authenticate(scheme: string, data: Uint8Array | null): readonly AuthId[] | null {
    const provider = this.byScheme.get(scheme);
    return provider === undefined ? null : provider.authenticate(data);
  }
}

/** Bound what one connection can make the server remember, and compare at every permission check. */
const IDS_MAX = 1000;
const ID_CHARACTERS_MAX = 1024 * 1024;

/** More ids than a connection may prove to be. */
export function areTooManyIds(ids: readonly AuthId[]): boolean {
  let characters = 0;
  for (const { id } of ids) characters += id.length;
  return ids.length > IDS_MAX || characters > ID_CHARACTERS_MAX;
}

/** What whoAmI calls the owner of an id: the user part of a digest, otherwise the id itself. */
export function userName(id: AuthId): string {
  if (id.scheme !== 'digest') return id.id;
  const colon = id.id.indexOf(':');
  return colon < 0 ? id.id : id.id.slice(0, colon);
}

const ipProvider: AuthProvider = {
  scheme: 'ip',
  authenticated: false,
  isValidId: isIpPattern,
  matchesEqualText: false,
  matches: ipMatches,
  // The connection has had its ip id since it was accepted.
  authenticate: () => [],
};

class DigestProvider implements AuthProvider {
  readonly scheme = 'digest';
  readonly authenticated = true;
  readonly matchesEqualText = true;
  private readonly crypto: CryptoPort;
  private readonly superDigest: string | null;

  constructor(crypto: CryptoPort, superDigest: string | null) {
    this.crypto = crypto;
    this.superDigest = superDigest;
  }

  /** Two parts around one colon. Trailing empty parts do not count: ":b" is valid, "a:" and "a:b:c" are not. */
  isValidId(id: string): boolean {
    let end = id.length;
    while (end > 0 && id[end - 1] === ':') end--;
    const first = id.indexOf(':');
    return first >= 0 && first < end && id.lastIndexOf(':', end - 1) === first;
  }

  matches(callerId: string, aclId: string): boolean {
    return callerId === aclId;
  }

  /** Any credential but null succeeds, there is nothing to check it against; without a colon all of it is the user. */
  authenticate(data: Uint8Array | null): readonly AuthId[] | null {
    if (data === null) return null;
    const credential = decodeUtf8(data, 0, data.length);
    const colon = credential.indexOf(':');
    const user = colon < 0 ? credential : credential.slice(0, colon);
    const id = user + ':' + this.crypto.digestBase64(encodeUtf8(credential));
    const own: AuthId = { scheme: this.scheme, id };
    return id === this.superDigest ? [{ scheme: SUPER, id: '' }, own] : [own];
  }
}
