/**
 * How a worker tells the supervisor why it ends: plain values, because an Error's class does not survive the way
 * between threads. The supervisor prints the message and ends the process with the exit status.
 */
import { Failure } from '../../base/failure.ts';

export interface WorkerFailure {
  readonly type: 'failed';
  readonly role: string;
  readonly code: string;
  readonly message: string;
  readonly exitStatus: number;
}

/** A broken invariant or any other programmer error. */
const INTERNAL_EXIT_STATUS = 1;

export function describeFailure(role: string, error: unknown): WorkerFailure {
  if (error instanceof Failure) {
    return { type: 'failed', role, code: error.code, message: error.message, exitStatus: error.exitStatus };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { type: 'failed', role, code: 'RK_INTERNAL', message, exitStatus: INTERNAL_EXIT_STATUS };
}
