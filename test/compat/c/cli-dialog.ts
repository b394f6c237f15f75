/**
 * Talks to `cli_mt`, the shell of Apache's C client: sends a command and waits until its output matches, then the next
 * one. The shell prints results from its completion thread, so only the content of the answers is compared.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestServer } from '../../support/server.ts';
import { CLI_MT } from '../../support/skip.ts';

const ANSWER_TIMEOUT_MS = 15_000;

/** A command and what its answer must contain; zxids assume a fresh server, on which the session took zxid 1. */
export const DIALOG: readonly (readonly [command: string, answer: RegExp])[] = [
  ['create /c', /\[\/c\]: rc = 0\n\tname = \/c\n/],
  ['create /c', /\[\/c\]: rc = -110\n/],
  ['create +e /c/e', /name = \/c\/e\n/],
  ['create +s /c/s', /name = \/c\/s0000000001\n/],
  ['create +c /c/cont', /name = \/c\/cont\n/],
  ['create +t=60000 /c/ttl', /name = \/c\/ttl\n/],
  [
    'create2 /c/two',
    /\[\/c\/two\]: rc = 0\n.*czxid=8\n.*mzxid=8\n\tversion=0\taversion=0\n\tephemeralOwner = 0\n/s,
  ],
  ['create /nope/x', /\[\/nope\/x\]: rc = -101\n/],
  ['create /c/e/x', /\[\/c\/e\/x\]: rc = -108\n/],
  ['set /c hello', /\/c: rc = 0 Stat:\n.*czxid=2\n.*mzxid=b\n\tversion=1\taversion=0\n/s],
  ['get /c', /\/c: rc = 0\n value_len = 5\nhello\nStat:\n.*mzxid=b\n/s],
  ['wexists /c/w', /Error -101 for \/c\/w/],
  ['create /c/w', /CREATED_EVENT state = CONNECTED_STATE for path \/c\/w\n/],
  ['ls /c', /\/c: rc = 0\n(\t(s0000000001|cont|e|ttl|two|w)\n){6}time/],
  ['ls2 /c', /\/c: rc = 0\n(\t(s0000000001|cont|e|ttl|two|w)\n){6}time.*version=1\taversion=0\n/s],
  ['delete /c/w', /\/c\/w: rc = 0\n/],
  ['delete /c', /\/c: rc = -111\n/],
  ['exists /nope', /Error -101 for \/nope/],
  ['sync /c', /\[\/c\]: rc = 0\n\tname = \/c\n/],
  ['set /nope x', /rc = -101/],
  ['adelete /c/two', /\/c\/two: rc = 0\n/],
];

/** Fails with the whole conversation when an answer does not come. */
export async function talk(server: TestServer): Promise<void> {
  const child = spawn(CLI_MT, [server.address], { stdio: ['pipe', 'pipe', 'pipe'], cwd: server.directory });
  const killWithParent = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithParent);
  const ended = once(child, 'close');
  let all = '';
  let fresh = '';
  let heard: (() => void) | undefined;
  const onText = (chunk: Buffer): void => {
    all += chunk.toString('utf8');
    fresh += chunk.toString('utf8');
    heard?.();
  };
  child.stdout.on('data', onText);
  child.stderr.on('data', onText);

  const hear = async (command: string, pattern: RegExp): Promise<void> => {
    const deadline = performance.now() + ANSWER_TIMEOUT_MS;
    while (!pattern.test(fresh)) {
      const left = deadline - performance.now();
      if (left <= 0 || child.exitCode !== null)
        throw new Error(`${command}: no ${pattern} in:\n${all.slice(-3000)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    fresh = '';
  };

  try {
    await hear('connect', /SESSION_EVENT state = CONNECTED_STATE/);
    for (const [command, answer] of DIALOG) {
      child.stdin.write(`${command}\n`);
      await hear(command, answer);
    }
    child.stdin.write('quit\n');
    await ended;
  } finally {
    child.kill('SIGKILL');
    process.off('exit', killWithParent);
  }
}
