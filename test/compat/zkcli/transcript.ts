/**
 * Runs a script of commands through Apache's zkCli.sh and gives the transcript in a form that two servers can be
 * compared by. Between any two commands the harness puts `version`, whose answer cuts the output into one section per
 * command. Watch events print at a moment of their own choice, so they are collected at the end, in order.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerOptions, TestServer } from '../../support/server.ts';

export const SCRIPT_FILE = join(import.meta.dirname, 'script.txt');
export const TRANSCRIPT_FILE = join(import.meta.dirname, 'apache-3.8.0-transcript.txt');
export const ZKCLI_SERVER: ServerOptions = {
  config: { extendedTypesEnabled: 'true', reconfigEnabled: 'true' },
};

const ZKCLI = '/usr/share/zookeeper/bin/zkCli.sh';
/** What `version` prints: Apache's shell and ours. */
const CUT = /^(?:ZooKeeper CLI version:|ringkeeper shell )/;

export async function zkCliTranscript(
  server: TestServer,
  commands: readonly string[] = scriptCommands(),
): Promise<string> {
  const outputFile = join(server.directory, 'zkcli.txt');
  // One file for both streams: two pipes would lose the order of lines between them.
  const output = openSync(outputFile, 'w');
  const child = spawn(ZKCLI, ['-server', server.address], {
    stdio: ['pipe', output, output],
    cwd: server.directory,
    env: {
      ...process.env,
      CLIENT_JVMFLAGS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dfile.encoding=UTF-8',
      TZ: 'UTC',
    },
  });
  const killWithParent = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithParent);
  closeSync(output);
  child.stdin!.end(inputOf(commands));
  await once(child, 'close');
  process.off('exit', killWithParent);
  return normalise(commands, readFileSync(outputFile, 'utf8'));
}

export function scriptCommands(): string[] {
  return readFileSync(SCRIPT_FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** The commands with a cut between any two. */
export function inputOf(commands: readonly string[]): string {
  return `version\n${commands.map((command) => `${command}\nversion\n`).join('')}quit\n`;
}

export function normalise(commands: readonly string[], text: string): string {
  const sections: string[][] = [[]];
  const events: string[] = [];
  for (const line of text.split('\n')) {
    if (CUT.test(line)) sections.push([]);
    else if (line.startsWith('WatchedEvent ')) events.push(line);
    else if (line !== '' && line !== 'WATCHER::' && !line.startsWith('SLF4J:'))
      sections.at(-1)!.push(stable(line));
  }
  if (sections.length !== commands.length + 2) {
    throw new Error(
      `zkCli ended after ${sections.length - 2} of ${commands.length} commands:\n${text.slice(-2000)}`,
    );
  }
  const transcript = commands.map((command, index) => {
    const section = sections[index + 1]!;
    return [`> ${command}`, ...(command === 'whoami' ? section.sort() : section)].join('\n');
  });
  return `${transcript.join('\n')}\n\nWatch events:\n${events.join('\n')}\n`;
}

/** Clock times go; lists are sorted, because the order of a server's answer means nothing. */
function stable(line: string): string {
  const list = /^\[(.*)\]$/.exec(line);
  if (list !== null) return `[${list[1]!.split(', ').sort().join(', ')}]`;
  return line.replace(/^(ctime|mtime) = (?!Thu Jan 01 00:00:00 UTC 1970).*$/, '$1 = <time>');
}
