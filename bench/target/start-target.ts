/** From a target's description to a running service. */
import { unreachable } from '../../src/base/assert.ts';
import { startApache } from './apache.ts';
import { startCommit } from './commit.ts';
import { startEmbedded } from './embedded.ts';
import { startEnsemble } from './ensemble-target.ts';
import { connectExternal } from './external.ts';
import { startNull } from './null-target.ts';
import type { Target, TargetOptions } from './target.ts';
import type { TargetSpec } from './target-spec.ts';

/** @throws ConfigFailure when the service cannot be started or reached, saying what to do. */
export async function startTarget(spec: TargetSpec, options: TargetOptions): Promise<Target> {
  switch (spec.kind) {
    case 'embedded':
      return startEmbedded(spec, options);
    case 'commit':
      return startCommit(spec, options);
    case 'apache':
      return startApache(spec, options);
    case 'ensemble':
      return startEnsemble(spec, options);
    case 'null':
      return startNull(spec, options);
    case 'external':
      return connectExternal(spec);
    default:
      return unreachable('unknown kind of target');
  }
}
