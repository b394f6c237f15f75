/** A batch whose results and complaints go to one stream, in their order, as a terminal shows them. */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runShell } from '../../../src/shell/index.ts';
import { SHELL_DEFAULTS } from './run-shell.ts';

export async function joinedShell(servers: string, commands: string): Promise<string> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  stdin.end(commands);
  const shown = text(stdout);
  const options = { ...SHELL_DEFAULTS, servers, keepGoing: true, yes: true };
  await runShell(options, { stdin, stdout, stderr: stdout });
  stdout.end();
  return shown;
}
