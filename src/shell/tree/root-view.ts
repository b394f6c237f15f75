/** The tree as the server has it, whatever the root of the present view: quotas and the configuration lie there. */
import type { Zk } from '../../client/index.ts';
import { Zk as ZkView } from '../../client/zk.ts';

export function rootView(zk: Zk): Zk {
  return new ZkView(zk.core, '');
}
