/**
 * What a service refuses, said in its words: what was asked, the error's name, which setting stands behind it, what to
 * do. One line for the user instead of a stack, because nothing of it is a fault of the engine.
 */
import { ConfigFailure, Failure } from '../../src/base/failure.ts';
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts';

/** The service is gone, or does what nobody can mend by flags. */
export class ServiceFailure extends Failure {
  override readonly name = 'ServiceFailure';
  readonly code = 'RK_BENCH_SERVICE';
  readonly exitStatus = 1;
}

const ADVICE: ReadonlyMap<number, string> = new Map([
  [
    ErrorCode.noAuth,
    'the ACL of its parent does not let this client create there: name a parent that it may write with ' +
      '--set tree.root=/..., or give credentials with --auth digest:USER:PASSWORD',
  ],
  [
    ErrorCode.quotaExceeded,
    'a quota stands above it (zkCli: listquota), or the store is full: raise it, name another parent with ' +
      '--set tree.root=/..., or make fewer or smaller znodes with --set tree.znodes=... or tree.values=...',
  ],
  [
    ErrorCode.notReadOnly,
    'the server has lost its ensemble and is read-only: wait for it, or name other servers with --target',
  ],
  [
    ErrorCode.noChildrenForEphemerals,
    'its parent is an ephemeral znode, which has no children: name another one with --set tree.root=/...',
  ],
  [
    ErrorCode.unimplemented,
    'the service does not know this operation, or it is switched off (znodes with a TTL: extendedTypesEnabled=true)',
  ],
  [
    ErrorCode.invalidAcl,
    'the service takes no znodes that everybody may read and write: this engine makes no others',
  ],
]);

/** `what`: as in `create /bench`. */
export function requestRefused(what: string, code: number): Failure {
  const advice = ADVICE.get(code);
  const refused = `the service refuses to ${what}: ${errorName(code)}`;
  return advice === undefined ? new ServiceFailure(refused) : new ConfigFailure(`${refused} - ${advice}`);
}
