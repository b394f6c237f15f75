/**
 * The shell as its callers meet it: inside this process, where a test runs many commands in little time, or as a process
 * of its own, where streams, signals and exit statuses are the real ones.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runShell, type ShellOptions } from '../../../src/shell/index.ts';
import { LAUNCHER } from '../../support/program.ts';

export interface ShellRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const SHELL_DEFAULTS: Omit<ShellOptions, 'servers'> = {
  sessionTimeoutMs: 20_000,
  readOnly: false,
  waitMs: 10_000,
  words: [],
  commands: [],
  file: null,
  json: false,
  yes: false,
  keepGoing: false,
  version: '0.0.0-test',
  historyFile: null,
  security: { clientConfiguration: null, tls: false, tlsCa: null, tlsCert: null, tlsKey: null, jaas: null },
};

/** `commands` as one batch, one a line. */
export async function shell(
  servers: string,
  commands: string,
  options: Partial<ShellOptions> = {},
): Promise<ShellRun> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  stdin.end(commands);
  const texts = Promise.all([text(stdout), text(stderr)]);
  const status = await runShell({ ...SHELL_DEFAULTS, servers, ...options }, { stdin, stdout, stderr });
  stdout.end();
  stderr.end();
  const [out, err] = await texts;
  return { status, stdout: out, stderr: err };
}

/** Results of a batch in JSON, one object each. */
export async function shellJson(
  servers: string,
  commands: string,
  options: Partial<ShellOptions> = {},
  // biome-ignore lint/suspicious/noExplicitAny: results of any command
): Promise<any[]> {
  const { stdout } = await shell(servers, commands, { ...options, json: true });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** `ringkeeper shell ARGUMENTS`. */
export async function shellProcess(args: readonly string[], input = ''): Promise<ShellRun> {
  const child = spawn(process.execPath, [LAUNCHER, 'shell', ...args], { stdio: 'pipe' });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const read = (stream: Readable): Promise<string> => text(stream);
  const [stdout, stderr, [status]] = await Promise.all([
    read(child.stdout),
    read(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { status, stdout, stderr };
}
