/** Why a server could not start, once its threads are up: one of them failed. Main thread. */
import { Failure } from '../../base/failure.ts';
import type { ServerFailure } from './supervisor.ts';

/** A worker failed while the server started. */
export class StartFailure extends Failure {
  override readonly name = 'StartFailure';
  readonly code = 'RK_START';
  readonly exitStatus: number;

  constructor(failure: ServerFailure) {
    super(failure.message);
    this.exitStatus = failure.exitStatus;
  }
}
