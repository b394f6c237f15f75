/**
 * SASL DIGEST-MD5 (RFC 2831) as Apache's servers ask for it: realm and host are `zk-sasl-md5`, the service `zookeeper`.
 *
 *     C1  empty token
 *     S1  realm="…",nonce="…",charset=utf-8,algorithm=md5-sess
 *     C2  username, realm, nonce, cnonce, nc, qop, digest-uri, response
 *     S2  rspauth=<32 hex>: the server knows the password too, which is checked
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Host } from './connect-string.ts';

/** One exchange on one connection. */
export interface SaslExchange {
  /** The first token. */
  first(): Uint8Array;
  /** The next token; null = done; `refused` = the server is not to be trusted, or does not trust us. */
  next(answer: Uint8Array): Uint8Array | null | 'refused';
}

export type SaslHook = (host: Host) => SaslExchange;

const SERVICE_URI = 'zookeeper/zk-sasl-md5';
const NONCE_BYTES = 18;

/** For `connect({ sasl: saslDigest(user, password) })`. */
export function saslDigest(username: string, password: string): SaslHook {
  return () => new DigestExchange(username, password, randomBytes(NONCE_BYTES).toString('base64'));
}

export class DigestExchange implements SaslExchange {
  private readonly username: string;
  private readonly password: string;
  private readonly cnonce: string;
  private expected: string | null = null;

  constructor(username: string, password: string, cnonce: string) {
    this.username = username;
    this.password = password;
    this.cnonce = cnonce;
  }

  first(): Uint8Array {
    return new Uint8Array(0);
  }

  next(answer: Uint8Array): Uint8Array | null | 'refused' {
    const fields = directives(Buffer.from(answer).toString('utf8'));
    if (this.expected !== null) return fields.get('rspauth') === this.expected ? null : 'refused';
    const realm = fields.get('realm');
    const nonce = fields.get('nonce');
    if (realm === undefined || nonce === undefined) return 'refused';
    const { username, cnonce } = this;
    this.expected = this.proof(realm, nonce, '');
    const parts = [
      'charset=utf-8',
      `username="${quoted(username)}"`,
      `realm="${quoted(realm)}"`,
      `nonce="${quoted(nonce)}"`,
      'nc=00000001',
      `cnonce="${cnonce}"`,
      `digest-uri="${SERVICE_URI}"`,
      `response=${this.proof(realm, nonce, 'AUTHENTICATE')}`,
      'qop=auth',
    ];
    return Buffer.from(parts.join(','), 'utf8');
  }

  private proof(realm: string, nonce: string, method: string): string {
    const secret = md5([bytesOf(this.username), ':', bytesOf(realm), ':', bytesOf(this.password)]);
    const first = md5([secret, `:${nonce}:${this.cnonce}`]).toString('hex');
    const second = md5([`${method}:${SERVICE_URI}`]).toString('hex');
    return md5([`${first}:${nonce}:00000001:${this.cnonce}:auth:${second}`]).toString('hex');
  }
}

function md5(parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The JDK hashes names as ISO 8859-1 where they fit, else as UTF-8. */
function bytesOf(text: string): Buffer {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return Buffer.from(text, 'utf8');
  return Buffer.from(text, 'latin1');
}

function quoted(text: string): string {
  return text.replace(/(["\\])/g, '\\$1');
}

/** `name=value, name="value" …` */
function directives(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const match of text.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,"\s]*))/g)) {
    fields.set(match[1]!, (match[2] ?? match[3] ?? '').replace(/\\(.)/g, '$1'));
  }
  return fields;
}
