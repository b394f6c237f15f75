/**
 * Loaded into each thread of a server of ours (`--import`, see disk.ts): while a file is there, each sync waits as many
 * milliseconds as stand in it before it begins. Nothing of the server is imported.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

export const SLOW_SYNC_VARIABLE = 'RINGKEEPER_BENCH_SLOW_SYNC';

const file = process.env[SLOW_SYNC_VARIABLE];
const { existsSync, readFileSync } = fs;

function slowed(sync: (fd: number) => void): (fd: number) => void {
  return (fd) => {
    if (existsSync(file!)) wait(waitMs());
    sync(fd);
  };
}

/** The file may go just now. */
function waitMs(): number {
  try {
    return Number(readFileSync(file!, 'utf8'));
  } catch {
    return 0;
  }
}

function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

// The engine imports the name above; only a server has it in its environment.
if (file !== undefined) {
  fs.fdatasyncSync = slowed(fs.fdatasyncSync);
  fs.fsyncSync = slowed(fs.fsyncSync);
  syncBuiltinESMExports();
}
