/**
 * A disk that is full, or slow, for one server, without root.
 *
 *     full   its soft limit of file sizes (RLIMIT_FSIZE, by `prlimit` of util-linux) is nothing: each further write to a file
 *            fails with EFBIG, where a full disk says ENOSPC. Both kinds of servers stop at a write that fails.
 *     slow   each sync waits before it begins (slow-sync.ts, loaded into ringkeeper's servers). A sync of Apache's could only be
 *            held up by a device of root's making.
 */
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ConfigFailure } from '../../src/base/failure.ts';
import { sourceFile } from '../base/package-root.ts';
import type { MemberPlan } from '../target/ensemble-plan.ts';
import { SLOW_SYNC_VARIABLE } from './slow-sync.ts';

const run = promisify(execFile);
const SLOW_SYNC = pathToFileURL(sourceFile('bench/availability/slow-sync')).href;

/** @throws ConfigFailure */
export async function refuseWithoutPrlimit(): Promise<void> {
  try {
    await run('prlimit', ['--version']);
  } catch {
    throw new ConfigFailure('disk-full: needs the program prlimit - run "apt-get install util-linux"');
  }
}

export class ServerDisks {
  private readonly directory: string;
  private readonly syncMs: number;

  /** `directory` exists while the servers run. */
  constructor(directory: string, syncMs: number) {
    this.directory = directory;
    this.syncMs = syncMs;
  }

  /** What the environment of a server of ours needs to be slowed later. */
  environmentOf(member: MemberPlan): Readonly<Record<string, string>> {
    const options = `${process.env['NODE_OPTIONS'] ?? ''} --import=${SLOW_SYNC}`.trim();
    return { NODE_OPTIONS: options, [SLOW_SYNC_VARIABLE]: this.fileOf(member) };
  }

  slow(member: MemberPlan): void {
    writeFileSync(this.fileOf(member), String(this.syncMs));
  }

  quicken(member: MemberPlan): void {
    rmSync(this.fileOf(member), { force: true });
  }

  fill(pid: number): Promise<void> {
    return limitFiles(pid, '0:');
  }

  empty(pid: number): Promise<void> {
    return limitFiles(pid, 'unlimited:');
  }

  private fileOf({ sid }: MemberPlan): string {
    return join(this.directory, `slow-sync-${sid}`);
  }
}

/** Of a process that has ended meanwhile, nothing. */
async function limitFiles(pid: number, limit: string): Promise<void> {
  try {
    await run('prlimit', ['--pid', String(pid), `--fsize=${limit}`]);
  } catch (error) {
    if (!/No such process/.test((error as Error).message)) throw error;
  }
}
