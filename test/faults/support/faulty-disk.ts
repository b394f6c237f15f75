/**
 * Loaded into every thread of a server under test (`--import`, see disk-fault.ts): replaces the file calls that the
 * faults name by ones that count and misbehave. Everything else of node:fs stays as it is.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { constants } from 'node:os';
import { type DiskFault, FAULTS_VARIABLE } from './disk-fault.ts';

type Call = (...args: unknown[]) => unknown;

const faults: readonly DiskFault[] = JSON.parse(process.env[FAULTS_VARIABLE] ?? '[]');
const calls = fs as unknown as Record<string, Call>;
/** Paths of the descriptors that this thread has opened. */
const paths = new Map<number, string>();
const seen = new Map<DiskFault, number>();

const { closeSync } = fs;

/** Long enough for every other thread to do, and say to clients, what it would not dare after the call. */
const HANG_MS = 150;

const STAND_STILL_MS = 3000;

function hang(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal ends the process while this thread waits.
  hang(Number.POSITIVE_INFINITY);
  throw new Error('survived SIGKILL');
}

function failure(fault: DiskFault, call: string, path: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`${fault.effect}: injected, ${call} '${path}'`);
  error.code = fault.effect;
  error.errno = -(constants.errno as Record<string, number>)[fault.effect]!;
  error.syscall = call;
  return error;
}

const SECTOR_BYTES = 512;

/** `writeSync(fd, bytes, offset, length, position)` with half the length; whole sectors where the file wants them. */
function writeHalf(real: Call, args: readonly unknown[]): void {
  const [fd, bytes, offset, length, position] = args as [number, Uint8Array, number, number, number];
  const half = Math.floor(length / 2);
  try {
    real(fd, bytes, offset, half, position);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    real(fd, bytes, offset, half - (half % SECTOR_BYTES), position);
  }
}

function due(call: string, path: string): DiskFault | undefined {
  return faults.find((fault) => {
    if (fault.call !== call || !new RegExp(fault.path).test(path)) return false;
    const count = (seen.get(fault) ?? 0) + 1;
    seen.set(fault, count);
    return fault.effect.startsWith('kill') || fault.effect === 'standStill'
      ? count === fault.nth
      : count >= fault.nth;
  });
}

function misbehaving(call: string, real: Call): Call {
  return (...args) => {
    const target = args[0];
    const path = typeof target === 'number' ? (paths.get(target) ?? '') : String(target);
    const fault = due(call, path);
    if (fault === undefined) return real(...args);
    const { effect, partial } = fault;
    if (effect === 'standStill') {
      hang(STAND_STILL_MS);
      return real(...args);
    }
    if (call === 'writeSync' && (effect === 'killHalfWay' || partial)) writeHalf(real, args);
    if (effect === 'killAfter') real(...args);
    else hang(HANG_MS);
    if (effect.startsWith('kill')) die();
    throw failure(fault, call, path);
  };
}

for (const call of new Set(faults.map((fault) => fault.call))) {
  calls[call] = misbehaving(call, calls[call]!.bind(fs));
}

// Around the replaced ones, so that descriptors have their paths whichever call is meant.
const open = calls['openSync']!;
calls['openSync'] = (...args) => {
  const fd = open(...args) as number;
  paths.set(fd, String(args[0]));
  return fd;
};
fs.closeSync = (fd) => {
  paths.delete(fd);
  closeSync(fd);
};
syncBuiltinESMExports();
