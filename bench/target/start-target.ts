/** From the name on the command line to a running service. */
import { startApache } from './apache.ts';
import { connectExternal } from './external.ts';
import { startNull } from './null-target.ts';
import { startRingkeeper } from './ringkeeper.ts';
import type { Target, TargetSetting } from './target.ts';

/** `ringkeeper`, `apache`, `null` or `host:port`. */
export function startTarget(name: string, setting: TargetSetting): Promise<Target> {
  switch (name) {
    case 'ringkeeper':
      return startRingkeeper(setting);
    case 'apache':
      return startApache(setting);
    case 'null':
      return startNull(setting);
    default:
      return connectExternal(name);
  }
}
