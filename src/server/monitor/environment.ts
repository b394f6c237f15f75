/**
 * The facts about machine and process that the words `envi` and `mntr` print. The keys are Java's, because tools
 * look them up; where the Java machine has no counterpart the nearest fact about Node stands in its place.
 */
import { readFileSync } from 'node:fs';
import { arch, homedir, hostname, release, tmpdir, type, userInfo } from 'node:os';
import { dirname } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { versionLine } from './version.ts';

/** In the order in which `envi` prints them. */
export function environment(): readonly (readonly [key: string, value: string])[] {
  const heap = getHeapStatistics();
  return [
    ['zookeeper.version', versionLine()],
    ['host.name', known(hostname)],
    ['java.version', `none (Node ${process.versions.node})`],
    ['java.vendor', 'none (Node.js)'],
    ['java.home', dirname(process.execPath)],
    ['java.class.path', process.argv[1] ?? ''],
    ['java.library.path', ''],
    ['java.io.tmpdir', tmpdir()],
    ['java.compiler', '<NA>'],
    ['os.name', type()],
    ['os.arch', JAVA_ARCHITECTURES.get(arch()) ?? arch()],
    ['os.version', release()],
    ['user.name', known(() => userInfo().username)],
    ['user.home', known(homedir)],
    ['user.dir', known(() => process.cwd())],
    ['os.memory.free', megabytes(heap.total_heap_size - heap.used_heap_size)],
    ['os.memory.max', megabytes(heap.heap_size_limit)],
    ['os.memory.total', megabytes(heap.total_heap_size)],
  ];
}

const JAVA_ARCHITECTURES = new Map([
  ['x64', 'amd64'],
  ['arm64', 'aarch64'],
]);

/** `?` is Java's word for it: a user id without a name and without HOME, a working directory that is gone. */
function known(fact: () => string): string {
  try {
    return fact();
  } catch {
    return '?';
  }
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))}MB`;
}

/** Null where the system has no /proc. */
export function openFileCountMax(): number | null {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return line === null ? null : Number(line[1]);
  } catch {
    return null;
  }
}
