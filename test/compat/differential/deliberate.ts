/**
 * Every place where ringkeeper is meant to differ from Apache 3.8.0, in one table. The README quotes it, the comparer
 * maps the rows marked `mapped`, the generator keeps away from those marked `avoided`, and `deliberate.test.ts` shows
 * both behaviours of each row by running it on both servers (unless the row says why that cannot be done).
 */

export interface DeliberateDifference {
  readonly id: string;
  readonly what: string;
  readonly apache: string;
  readonly ringkeeper: string;
  /** `mapped`: met in random runs and understood by the comparer; `avoided`: never generated, because the states would part. */
  readonly handling: 'mapped' | 'avoided';
  /** Why no test runs this row on Apache. */
  readonly notRunOnApache?: string;
}

export const DELIBERATE_DIFFERENCES = [
  {
    id: 'create-ttl-without-ttl-mode',
    what: 'createTTL with flags 0 and ttl -1',
    apache: 'the server process ends',
    ringkeeper: 'BADARGUMENTS (-8)',
    handling: 'avoided',
    notRunOnApache: 'it ends the oracle',
  },
  {
    id: 'client-create-session',
    what: 'createSession (opcode -10) sent by a client',
    apache: 'executed',
    ringkeeper: 'UNIMPLEMENTED (-6), then close',
    handling: 'avoided',
  },
  {
    id: 'top-level-check',
    what: 'check outside multi',
    apache: 'no reply (3.9: UNIMPLEMENTED, then close)',
    ringkeeper: 'UNIMPLEMENTED (-6), then close',
    handling: 'avoided',
  },
  {
    id: 'create2-in-multi',
    what: 'result of create2 inside multi',
    apache: 'type 1, path only (3.9: type 15 with Stat)',
    ringkeeper: 'type 15, path and Stat',
    handling: 'mapped',
  },
  {
    id: 'watcher-types',
    what: 'removeWatches and checkWatches with types 4 and 5',
    apache: 'MARSHALLINGERROR (-5) (3.9: supported)',
    ringkeeper: 'supported',
    handling: 'mapped',
  },
  {
    id: 'independent-watch-modes',
    what: 'several watch modes of one client on one path',
    apache: 'the last one set wins (3.9: kept independently)',
    ringkeeper: 'kept independently',
    handling: 'avoided',
  },
  {
    id: 'recursive-watch-table',
    what: 'removeWatches with types 1 and 2 on persistent watches',
    apache: 'takes half of them (3.9: only standard watches)',
    ringkeeper: 'takes standard watches only',
    handling: 'avoided',
  },
  {
    id: 'check-watches-of-others',
    what: 'checkWatches on a path that only another client watches',
    apache: 'says that there is a watch',
    ringkeeper: 'NOWATCHER (-121)',
    handling: 'avoided',
  },
  {
    id: 'exists-needs-read',
    what: 'exists on a znode the caller may not read',
    apache: 'answers its Stat (3.8.4 and 3.9.2: NOAUTH)',
    ringkeeper: 'NOAUTH (-102)',
    handling: 'mapped',
  },
  {
    id: 'event-zxid',
    what: 'zxid in the header of a watch notification',
    apache: '-1 (3.9: zxid of the transaction)',
    ringkeeper: 'zxid of the transaction',
    handling: 'mapped',
  },
  {
    id: 'pipelined-set-acl',
    what: 'a write pipelined behind a setACL of the same znode',
    apache: 'meets the old ACL or the new one, by chance',
    ringkeeper: 'meets the new ACL',
    handling: 'avoided',
    notRunOnApache: 'its outcome is a race',
  },
  {
    id: 'quota-text',
    what: 'malformed text in zookeeper_limits or zookeeper_stats',
    apache: 'the server process may end',
    ringkeeper: 'no limit is enforced, statistics start over',
    handling: 'avoided',
    notRunOnApache: 'it ends the oracle',
  },
  {
    id: 'null-path-in-multi',
    what: 'a null path inside multi',
    apache:
      'MARSHALLINGERROR for the whole, with an empty list of results and the zxid of the write before it',
    ringkeeper: 'MARSHALLINGERROR for the whole, with its own zxid',
    handling: 'avoided',
  },
  {
    id: 'null-path-in-multi-read',
    what: 'a null path inside multiRead',
    apache: 'MARSHALLINGERROR for the whole, with the results of the operations before it',
    ringkeeper: 'MARSHALLINGERROR for the whole',
    handling: 'avoided',
  },
  {
    id: 'ipv6-acl',
    what: 'an IPv6 address in an ACL entry of scheme ip',
    apache: 'INVALIDACL (-114) (3.9.4: accepted)',
    ringkeeper: 'accepted',
    handling: 'avoided',
  },
  {
    id: 'order-of-children',
    what: 'order of the names in getChildren, which has no meaning',
    apache: "by Java's hash of the name",
    ringkeeper: 'as created, until one is deleted',
    handling: 'mapped',
  },
  {
    id: 'order-of-ids',
    what: 'order of the ids in whoAmI, which has no meaning',
    apache: "by Java's hash of the id",
    ringkeeper: 'as proven',
    handling: 'mapped',
  },
  {
    id: 'count-of-empty-path',
    what: 'getAllChildrenNumber of the empty path',
    apache: 'one more than for /',
    ringkeeper: 'the same as for /',
    handling: 'avoided',
  },
  {
    id: 'watch-on-empty-path',
    what: 'a watch on the empty path, which reads resolve to the root',
    apache: 'is kept under a name of its own and never fires',
    ringkeeper: 'is a watch on /',
    handling: 'avoided',
  },
  {
    id: 'supplementary-characters',
    what: 'a character beyond U+FFFF in a path that is only echoed: by sync, in catch-up events',
    apache: 'not UTF-8: two surrogates of three bytes each, which no client reads as what it sent',
    ringkeeper: 'UTF-8, as the client sent it',
    handling: 'mapped',
  },
  {
    id: 'malformed-text',
    what: 'a path that is not UTF-8 and only echoed: by sync, in catch-up events',
    apache: 'U+FFFD in place of what is malformed',
    ringkeeper: 'the bytes that the client sent',
    handling: 'avoided',
  },
  {
    id: 'null-watch-path',
    what: 'addWatch with a null path',
    apache: 'accepts it; closing the session then never ends',
    ringkeeper: 'MARSHALLINGERROR (-5)',
    handling: 'avoided',
  },
  {
    id: 'version-rollover',
    what: 'version after 2147483647 increments passes -1',
    apache: 'becomes -1 (3.10: 0)',
    ringkeeper: 'becomes 0',
    handling: 'avoided',
    notRunOnApache: 'takes 2^32 writes',
  },
] as const satisfies readonly DeliberateDifference[];

export type DeliberateId = (typeof DELIBERATE_DIFFERENCES)[number]['id'];
