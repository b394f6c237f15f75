/** Tells the witnesses of a run which core is whose, and when one of them begins anew from another tree. */
import { CoreHost } from '../../../src/server/host/core-host.ts';
import type { Witness } from './ensemble-judge.ts';

type StartAnew = (this: CoreHost, zxid: number) => void;

/** For the time of a run; returns what undoes it. */
export function watchHosts(witnesses: readonly Witness[]): () => void {
  const host = CoreHost.prototype as unknown as { start: CoreHost['start']; startAnew: StartAnew };
  const { start, startAnew } = host;
  host.start = function (this: CoreHost, ...args) {
    const witness = witnesses.find((each) => each.isOf(this['platform']));
    if (witness !== undefined) witness.host = this;
    start.apply(this, args);
  };
  host.startAnew = function (zxid) {
    startAnew.call(this, zxid);
    witnesses.find((each) => each.host === this)?.onTree(zxid);
  };
  return () => {
    host.start = start;
    host.startAnew = startAnew;
  };
}
