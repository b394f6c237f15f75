/**
 * `ringkeeper/recipes`: what distributed programs are made of, on top of `ringkeeper/client`.
 */

export { type Barrier, barrier } from './barrier/barrier.ts';
export { type DoubleBarrier, type DoubleBarrierOptions, doubleBarrier } from './barrier/double-barrier.ts';
export { type Config, type ConfigChange, type ConfigOptions, config } from './config/config.ts';
export type { FormerVersion } from './config/history.ts';
export type { Document } from './config/layers.ts';
export type { AcquireOptions } from './contenders/acquire.ts';
export {
  AcquireTimeoutError,
  DeadlockError,
  LeaseLostError,
  MixedDialectError,
} from './contenders/errors.ts';
export type { Lease, LeasePolicy } from './contenders/lease.ts';
export type { Contender, ContenderKind, Dialect } from './contenders/names.ts';
export type { OwnedAcquireOptions } from './contenders/owners.ts';
export { type Counter, type CounterOptions, counter } from './counter/counter.ts';
export { type IdGenerator, type IdOptions, idGenerator } from './counter/id-generator.ts';
export { type Discovery, discovery, type Registered, type Registration } from './discovery/discovery.ts';
export {
  type ServiceInstance,
  type ServiceType,
  type UriPart,
  uriOf,
} from './discovery/instance.ts';
export type { Ejection } from './discovery/instance-record.ts';
export { NoInstanceError, type ProviderOptions, type ServiceProvider } from './discovery/provider.ts';
export type { Candidate, Selection, SelectionName } from './discovery/selection.ts';
export { type Election, type ElectionOptions, election, type Leader } from './election/election.ts';
export { type Group, type GroupDialect, group, type Member, type Members } from './group/group.ts';
export { type Lock, type LockOptions, lock } from './lock/lock.ts';
export { type MultiLease, type MultiLock, multiLock } from './multi-lock/multi-lock.ts';
export { transactOnce } from './once/once.ts';
export {
  type PersistentNode,
  type PersistentNodeOptions,
  persistentNode,
} from './persistent-node/persistent-node.ts';
export type { Claim } from './queue/claim.ts';
export type { Buried } from './queue/claiming.ts';
export type { Item, PutFields, QueueDialect, QueueOrder } from './queue/item-names.ts';
export { type PutOptions, type Queue, type QueueOptions, queue } from './queue/queue.ts';
export { type LockSide, type ReadWriteLock, readWriteLock } from './read-write-lock/read-write-lock.ts';
export {
  type Semaphore,
  type SemaphoreAcquireOptions,
  type SemaphoreOptions,
  semaphore,
} from './semaphore/semaphore.ts';
