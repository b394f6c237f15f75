/**
 * What a service refuses, said in its words: what was asked, the error's name, which setting stands behind it, what to
 * do. One line for the user instead of a stack, because nothing of it is a fault of the engine.
 */
import { ConfigFailure, Failure } from '../../src/base/failure.ts';

/** Said by both kinds of session. */
export const CREDENTIALS_REFUSED = 'the server refuses the credentials of --auth';
export const CLOSED_BEFORE_SESSION = 'the server closed the connection before it gave a session';

/** The service is gone, or does what nobody can mend by flags. */
export class ServiceFailure extends Failure {
  override readonly name = 'ServiceFailure';
  readonly code = 'RK_BENCH_SERVICE';
  readonly exitStatus = 1;
}

const ADVICE: ReadonlyMap<string, string> = new Map([
  [
    'NOAUTH',
    'the ACL of its parent does not let this client create there: name a parent that it may write with ' +
      '--set tree.root=/..., or give credentials with --auth digest:USER:PASSWORD',
  ],
  [
    'QUOTAEXCEEDED',
    'a quota stands above it (zkCli: listquota), or the store is full: raise it, name another parent with ' +
      '--set tree.root=/..., or make fewer or smaller znodes with --set tree.znodes=... or tree.values=...',
  ],
  [
    'NOTREADONLY',
    'the server has lost its ensemble and is read-only: wait for it, or name other servers with --target',
  ],
  [
    'NOCHILDRENFOREPHEMERALS',
    'its parent is an ephemeral znode, which has no children: name another one with --set tree.root=/...',
  ],
  [
    'UNIMPLEMENTED',
    'the service does not know this operation, or it is switched off (znodes with a TTL: extendedTypesEnabled=true)',
  ],
  [
    'INVALIDACL',
    'the service takes no znodes that everybody may read and write: this engine makes no others',
  ],
]);

/** `what`: as in `create /bench`; `code`: ZooKeeper's name of the error. */
export function requestRefused(what: string, code: string): Failure {
  const advice = ADVICE.get(code);
  const refused = `the service refuses to ${what}: ${code}`;
  return advice === undefined ? new ServiceFailure(refused) : new ConfigFailure(`${refused} - ${advice}`);
}
