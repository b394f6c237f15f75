/** Learners that are broken on purpose in what they do for their clients; beside `ensemble-variants.ts`. */

import type { RequestView } from '../../../src/core/client/request-view.ts';
import { Forwarder } from '../../../src/core/forwarding/forwarder.ts';
import { LearnerService } from '../../../src/core/request/learner-service.ts';
import { type EnsembleVariant, replace } from './ensemble-variants.ts';

export const LEARNER_VARIANTS: readonly EnsembleVariant[] = [
  {
    name: 'any-transaction-taken',
    breaks: 'the answer to somebody else’s write is told as one’s own',
    found: /instead of|in place of|behind its request/,
    patch: () =>
      replace(
        Forwarder.prototype,
        'isNext',
        () =>
          function (this: Forwarder) {
            return this['pending'].length > 0;
          },
      ),
  },
  {
    name: 'clients-kept-over-terms',
    seeds: null,
    breaks: 'what was logged when the leader went is answered as if it were decided, and the rest never',
    found: /gets no answers|no write gets done|behind its request/,
    patch: () => replace(LearnerService.prototype, 'endTerm', () => () => {}),
  },
  {
    name: 'touches-left-out',
    breaks: 'a session ends although its client is heard of all the time',
    found: /expires in peace/,
    patch: () => replace(LearnerService.prototype, 'touches', () => () => [new Uint8Array(0)]),
  },
  {
    name: 'reads-wait-for-nobody',
    seeds: null,
    breaks: 'a client does not see what it has written before',
    found: /instead of|older than/,
    patch: () =>
      replace(
        Forwarder.prototype,
        'forward',
        (original) =>
          function (this: Forwarder, ...args: never[]) {
            const [request] = args as unknown as [RequestView];
            const before = request.client.lastWrite[0]!;
            const isForwarded = original.apply(this, args);
            request.client.lastWrite[0] = before;
            return isForwarded;
          },
      ),
  },
];
