/**
 * `ringkeeper/recipes`: what distributed programs are made of, on top of `ringkeeper/client`.
 */
export { AcquireTimeoutError, LeaseLostError, MixedDialectError } from './contenders/errors.ts';
export type { Lease, LeasePolicy } from './contenders/lease.ts';
export type { Contender, ContenderKind, Dialect } from './contenders/names.ts';
export { type AcquireOptions, Lock, type LockOptions, lock } from './lock/lock.ts';
