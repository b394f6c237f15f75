/**
 * The texts behind `--auth`, read into credentials: for a running service whose znodes not everybody may write. They
 * travel with the addresses (base/address.ts), so every session of the engine sends them, and no result holds them.
 *
 *     digest:USER:PASSWORD     what `addauth digest USER:PASSWORD` sends
 *     @FILE                    the same from a file, one a line, so that it shows in no list of processes
 */
import { readFileSync } from 'node:fs';
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Credential } from '../base/address.ts';
import type { TargetSpec } from './target-spec.ts';

/** `spec` with the credentials on its addresses. @throws ConfigFailure naming what is allowed, never the secret. */
export function withCredentials(spec: TargetSpec, texts: readonly string[]): TargetSpec {
  if (texts.length === 0) return spec;
  if (spec.kind !== 'external') {
    throw new ConfigFailure(
      `--auth: only for a running service (host:port) - "${spec.text}" is started here, and open to everybody`,
    );
  }
  const auth = texts.flatMap(credentialsOf);
  return { ...spec, addresses: spec.addresses.map((address) => ({ ...address, auth })) };
}

function credentialsOf(text: string): Credential[] {
  if (!text.startsWith('@')) return [credentialOf(text, 'the value')];
  const file = text.slice(1);
  let lines: string[];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    throw new ConfigFailure(`--auth: ${text} - the file cannot be read: ${(error as Error).message}`);
  }
  const credentials = lines.flatMap((line, i) =>
    line.trim() === '' ? [] : [credentialOf(line.trim(), `line ${i + 1} of ${file}`)],
  );
  if (credentials.length === 0) throw new ConfigFailure(`--auth: ${text} - the file has no line scheme:id`);
  return credentials;
}

function credentialOf(text: string, where: string): Credential {
  const match = /^(\w+):(.+)$/.exec(text);
  const [, scheme, auth] = match ?? [];
  if (scheme === undefined || auth === undefined || (scheme === 'digest' && !/^[^:]+:./.test(auth))) {
    throw new ConfigFailure(`--auth: ${where} - allowed: digest:USER:PASSWORD, or @FILE with such lines`);
  }
  return { scheme, auth };
}
