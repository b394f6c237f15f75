/**
 * Epochs with few transactions: 2^32 writes in one are some hours at full speed, and no run's business. For the time of a run;
 * returns what undoes it.
 */
import { COUNTER_MAX, epochOf, firstZxidOf, makeZxid, type Zxid } from '../../../src/base/zxid.ts';
import { Progress } from '../../../src/core/progress/progress.ts';
import { TappedLogPort } from '../../../src/server/log/tapped-log-port.ts';
import { replace } from './ensemble-variants.ts';

/** `length`: transactions of an epoch. `onEnd`: the last of one has been proposed. */
export function shortenEpochs(length: number, onEnd: () => void): () => void {
  const undoNext = replace(
    Progress.prototype,
    'nextZxid',
    (original) =>
      function (this: Progress): Zxid {
        const next = original.call(this) as Zxid;
        const epoch = epochOf(next);
        return next > makeZxid(epoch, length) ? firstZxidOf(epoch + 1) : next;
      },
  );
  const undoOpen = replace(
    TappedLogPort.prototype,
    'open',
    (original) =>
      function (this: TappedLogPort, tap: never, lastZxid: number) {
        original.call(this, tap, (lastZxid - COUNTER_MAX + length) as never);
      },
  );
  const undoCommit = replace(
    TappedLogPort.prototype,
    'commit',
    (original) =>
      function (this: TappedLogPort, zxid: number, bytes: never) {
        original.call(this, zxid as never, bytes);
        if (zxid === makeZxid(epochOf(zxid), length)) onEnd();
      },
  );
  return () => {
    undoCommit();
    undoOpen();
    undoNext();
  };
}
