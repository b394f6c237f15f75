/**
 * From what went wrong around the load to one line for the user: what the service refused, which setting stands behind
 * it, what to do. Faults of the engine pass as they are, with their stack.
 */
import { ConfigFailure, Failure } from '../../src/base/failure.ts';
import { errorName } from '../../src/wire/error-codes.ts';
import { GeneratorTrouble } from '../generator/worker-messages.ts';
import type { Plan } from '../plan/plan.ts';
import type { Environment } from '../result/environment-facts.ts';
import { CREDENTIALS_REFUSED, requestRefused, ServiceFailure } from '../session/refusal.ts';
import { ConnectionLost } from '../session/session.ts';
import type { Target } from '../target/target.ts';

/** Sessions of the engine beside the load: three that stay with the probes, and two that come and go. */
const OTHER_SESSIONS = 5;

export interface TroubleContext {
  readonly plan: Plan;
  readonly target: Target;
  /** Null when the trouble came before it was known. */
  readonly environment: Environment | null;
}

/**
 * Refuses what the service has said it will not take, before anything is sent: with too many connections the load would
 * run, and the probes would find the service down. @throws ConfigFailure
 */
export function refuseTooMany(plan: Plan, target: Target, environment: Environment): void {
  const limit = Number(environment.serverSettings?.['maxClientCnxns'] ?? 0);
  // Clients of a recipe have sessions of their own beside the load's.
  const each = plan.phases.some(({ load }) => load.kind !== 'mix') ? 2 : 1;
  // Of several servers one may have them all.
  const servers = plan.connectTo === 'spread' ? target.addresses.length : 1;
  const needed = Math.ceil((each * plan.connectionCount) / servers) + OTHER_SESSIONS;
  if (target.isOurs || !(limit > 0) || needed <= limit) return;
  throw new ConfigFailure(
    `the service takes ${limit} connections per address (maxClientCnxns), and ${plan.connectionCount} with ` +
      `${OTHER_SESSIONS} for the probes are more: raise it, or ask for fewer with --connections ` +
      `${Math.max(1, Math.floor(((limit - OTHER_SESSIONS) * servers) / each))}`,
  );
}

/** What to throw in place of `error`. */
export async function inServiceWords(error: unknown, context: TroubleContext): Promise<unknown> {
  if (error instanceof Failure) return error;
  const isTrouble = error instanceof GeneratorTrouble || isOfNetwork(error);
  if (!isTrouble) return error;
  const { target } = context;
  // Its process may be seen to end a moment after its connections.
  const ended = target.failure ?? (await target.whyNotServing());
  if (ended !== null) {
    return new ServiceFailure(endedText(ended));
  }
  if (error instanceof GeneratorTrouble) return ofGenerator(error, context);
  const { message } = error as Error;
  if (message === CREDENTIALS_REFUSED) return refusedCredentials();
  return /before it gave a session|ECONNRESET|EPIPE/.test(message)
    ? tooManyConnections(null, message, context)
    : new ServiceFailure(
        `a connection to the service was lost: ${message} - it answers again: was it restarted?`,
      );
}

export function endedText(why: string): string {
  return `the service has ended before anything could be measured: ${why}`;
}

function ofGenerator(error: GeneratorTrouble, context: TroubleContext): Failure {
  const { trouble, message } = error;
  switch (trouble.kind) {
    case 'refused':
      return requestRefused(`prepare the tree ${context.plan.tree.root}`, errorName(trouble.code));
    case 'lost':
      return new ServiceFailure(`${message} - the service answers again: was it restarted?`);
    case 'sessions':
      return trouble.reason === CREDENTIALS_REFUSED
        ? refusedCredentials()
        : tooManyConnections(trouble.opened, trouble.reason, context);
  }
}

function refusedCredentials(): Failure {
  return new ConfigFailure(
    `${CREDENTIALS_REFUSED}: AUTHFAILED - is the scheme known to it, and the user right? allowed: --auth digest:USER:PASSWORD`,
  );
}

function tooManyConnections(
  opened: number | null,
  reason: string,
  { plan, environment }: TroubleContext,
): Failure {
  const limit = environment?.serverSettings?.['maxClientCnxns'];
  const told = limit === undefined || limit === '0' ? "Apache's default: 60" : `here: ${limit}`;
  const known = Number(limit) > 0 ? Number(limit) : (opened ?? plan.connectionCount);
  const fewer = Math.max(1, known - OTHER_SESSIONS);
  const count = opened === null ? 'another session' : `session ${opened + 1} of ${plan.connectionCount}`;
  return new ConfigFailure(
    `the service refuses ${count}: ${reason} - its limit of connections per address is maxClientCnxns (${told}), of all ` +
      `maxCnxns: raise it, or ask for fewer with --connections ${fewer}`,
  );
}

function isOfNetwork(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^E(?:CONN|PIPE|HOST|NET|TIMEDOUT|ADDR|AI_)/.test(code);
}
