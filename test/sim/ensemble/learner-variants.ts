/** Learners that are broken on purpose in what they do for their clients; beside `ensemble-variants.ts`. */

import type { Client } from '../../../src/core/client/client.ts';
import type { ReturnedWrite } from '../../../src/core/client/frame-queue.ts';
import type { RequestView } from '../../../src/core/client/request-view.ts';
import { Forwarder } from '../../../src/core/forwarding/forwarder.ts';
import { EphemeralCreates } from '../../../src/core/request/ephemeral-creates.ts';
import { KeptClients } from '../../../src/core/request/kept-clients.ts';
import { LearnerService } from '../../../src/core/request/learner-service.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { type EnsembleVariant, replace } from './ensemble-variants.ts';

export const LEARNER_VARIANTS: readonly EnsembleVariant[] = [
  {
    name: 'any-transaction-taken',
    breaks: 'the answer to somebody else’s write is told as one’s own',
    found: /instead of|in place of|behind its request|committed before/,
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
    name: 'held-write-answered-twice',
    faults: ['crashOfLeader', 'isolation'],
    breaks: 'a held write that the next history has is answered, and made again',
    found: /committed before|comes instead of|behind its request/,
    patch: () => {
      const known = new WeakMap<Forwarder, { client: Client; again: ReturnedWrite }[]>();
      const undo = [
        replace(
          Forwarder.prototype,
          'take',
          (original) =>
            function (this: Forwarder) {
              const { client, write, op } = this.next;
              const { resolved } = this['parts'].writes;
              const unanswered = (known.get(this) ?? []).filter(({ again }) => again.write > resolved);
              if (this.keepsRequests && op !== OpCode.createSession) {
                this['frames']!.viewHead(this['frame']);
                const { bytes, headerStart, end, receivedMs } = this['frame'];
                const copy = Uint8Array.from(bytes.subarray(headerStart, end));
                unanswered.push({ client, again: { write, receivedMs, bytes: copy } });
              }
              known.set(this, unanswered);
              original.apply(this);
            },
        ),
        replace(
          Forwarder.prototype,
          'takeBack',
          (original) =>
            function (this: Forwarder) {
              const returned = original.apply(this) as Map<Client, ReturnedWrite[]>;
              for (const { client, again } of (known.get(this) ?? []).reverse())
                returned.set(client, [again, ...(returned.get(client) ?? [])]);
              return returned;
            },
        ),
      ];
      return () => {
        for (const each of undo) each();
      };
    },
  },
  {
    name: 'held-output-leaks',
    faults: ['crashOfLeader', 'isolation'],
    breaks: 'what is logged when the leader goes is told before it is known to stand',
    found: /is acknowledged and was never proposed|committed before|behind its request/,
    seeds: null,
    patch: () =>
      replace(
        KeptClients.prototype,
        'keep',
        (original) =>
          function (this: KeptClients, ...args: never[]) {
            const isKept = original.apply(this, args);
            for (const client of this['parts'].clients.all()) client.isKept = false;
            return isKept;
          },
      ),
  },
  {
    name: 'asked-again-of-the-same-leader',
    faults: ['peerReset', 'slowDisk'],
    breaks: 'a leader that was not lost after all proposes a held write, and is asked for it again',
    found: /committed before|comes instead of|behind its request/,
    seeds: null,
    patch: () =>
      replace(
        KeptClients.prototype,
        'keep',
        (original) =>
          function (this: KeptClients, ...args: never[]) {
            const isKept = original.apply(this, args);
            this['epoch'] = -1;
            return isKept;
          },
      ),
  },
  {
    name: 'touches-left-out',
    breaks: 'a session ends although its client is heard of all the time',
    found: /expires in peace/,
    patch: () => replace(LearnerService.prototype, 'touches', () => () => [new Uint8Array(0)]),
  },
  {
    name: 'ephemerals-overlooked',
    breaks: 'a local session asks for an ephemeral and is not made one of all servers',
    found: /error -112 instead of/,
    patch: () => replace(EphemeralCreates.prototype, 'isIn', () => () => false),
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
