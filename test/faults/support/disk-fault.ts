/**
 * Disk faults of a real server process: which of its file calls fails, is cut short or is the last thing the process
 * ever does. A fault is plain data; it travels in an environment variable to `faulty-disk.ts`, which Node loads into
 * every thread of the server before anything else.
 *
 *     test ── DiskFault[] ──▶ environment ──▶ faulty-disk.ts in each thread: counts matching calls, the nth misbehaves
 *
 * The call hangs for a moment before it fails or is the last, so that whoever did not wait for it gives himself away.
 *
 * So a fault hits exactly one call of one thread, in the process that users run, without mounts or privileges.
 */
/** The calls of node:fs that `src/storage/node-disk.ts` makes. */
export type DiskCall =
  | 'openSync'
  | 'writeSync'
  | 'ftruncateSync'
  | 'fdatasyncSync'
  | 'fsyncSync'
  | 'renameSync'
  | 'rmSync';

export interface DiskFault {
  readonly call: DiskCall;
  /** Regular expression for the path of the file; `.` for any. */
  readonly path: string;
  /** The how-manieth matching call of a thread, from 1. Errors last: later matching calls fail too. */
  readonly nth: number;
  /**
   * An errno name: the call fails so. `kill`: the process is killed (SIGKILL) before the call, in the middle of it
   * (half the bytes of a write are written), or after it. `standStill`: the call takes three seconds, once.
   */
  readonly effect: 'ENOSPC' | 'EIO' | 'EACCES' | 'killBefore' | 'killHalfWay' | 'killAfter' | 'standStill';
  /** With an error of a write: half of its bytes are written first, as a file system that runs full does. */
  readonly partial?: boolean;
}

export const FAULTS_VARIABLE = 'RINGKEEPER_TEST_DISK_FAULTS';
