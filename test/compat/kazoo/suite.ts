/**
 * Runs a part of kazoo's test suite (`kazoo/tests` of Debian's python3-kazoo) against a test server and gives the
 * outcome of every test. The server is ours to stop and start: the python side asks for it over a control channel
 * (`external_cluster.py`).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestServer } from '../../support/server.ts';
import { PYTHON } from '../../support/skip.ts';

/** What the suite asks for: an address, and that it is started and stopped. */
export type DrivenServer = Pick<TestServer, 'address' | 'start' | 'stop'>;

/** Where the Debian package puts the suite; test ids are relative to the root above it. */
export const TESTS_DIRECTORY = '/usr/lib/python3/dist-packages/kazoo/tests';

export const Outcome = { passed: 'passed', failed: 'failed', skipped: 'skipped' } as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export interface KazooResult {
  /** `test_lock.py::KazooLockTests::test_lock_one`, as pytest names it. */
  readonly id: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** Why it was skipped, or the end of the failure's trace. */
  readonly reason: string;
}

/** kazoo waited for ever, and was interrupted (`external_cluster.py`). */
const STUCK = /stuck in the client/;
/** So many may get stuck by kazoo's own fault. */
const STUCK_MAX = 2;

/**
 * As `runKazoo`; who got stuck is asked once more. kazoo 2.8 itself may leave a request unsent in its queue: seen about once in 40
 * runs of `TestSemaphore::test_handle_session_loss` on a busy machine, while the server had answered all it had received
 * and went on to answer the pings of the same connection. `told`: hears of each.
 */
export async function runKazooPatiently(
  server: DrivenServer,
  paths: readonly string[],
  only: readonly string[],
  told: (id: string) => void,
): Promise<KazooResult[]> {
  const results = await runKazoo(server, paths, only);
  const stuck = results.filter(({ reason }) => STUCK.test(reason)).map(({ id }) => id);
  if (stuck.length === 0 || stuck.length > STUCK_MAX) return results;
  for (const id of stuck) told(id);
  const again = new Map((await runKazoo(server, paths, stuck)).map((result) => [result.id, result]));
  return results.map((result) => again.get(result.id) ?? result);
}

/** `paths`: test files or a directory of them; `only`: the ids to run, default all. */
export async function runKazoo(
  server: DrivenServer,
  paths: readonly string[],
  only?: readonly string[],
): Promise<KazooResult[]> {
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-kazoo-'));
  const resultFile = join(directory, 'results.jsonl');
  const onlyFile = join(directory, 'only.txt');
  if (only !== undefined) writeFileSync(onlyFile, only.join('\n'));
  const control = await openControl(server);
  const output: Buffer[] = [];
  try {
    const child = spawn(
      PYTHON,
      [
        '-m',
        'pytest',
        '-q',
        '-p',
        'no:cacheprovider',
        '-p',
        'external_cluster',
        '--rootdir',
        dirname(dirname(TESTS_DIRECTORY)),
        ...paths,
      ],
      {
        cwd: directory,
        env: {
          ...process.env,
          PYTHONPATH: import.meta.dirname,
          PYTHONDONTWRITEBYTECODE: '1',
          KAZOO_SERVER: server.address,
          KAZOO_CONTROL: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
          KAZOO_RESULT: resultFile,
          ...(only === undefined ? {} : { KAZOO_ONLY: onlyFile }),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const killWithParent = (): void => void child.kill('SIGKILL');
    process.once('exit', killWithParent);
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    await once(child, 'close');
    process.off('exit', killWithParent);
    const results = readResults(resultFile);
    if (results.length > 0) return results;
    throw new Error(
      `pytest ran no test; its output:\n${Buffer.concat(output).toString('utf8').slice(-4000)}`,
    );
  } finally {
    control.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function readResults(resultFile: string): KazooResult[] {
  if (!existsSync(resultFile)) return [];
  return readFileSync(resultFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KazooResult);
}

async function openControl(server: DrivenServer): Promise<Server> {
  const control = createServer((request, response) => {
    const done = request.url === '/run' ? server.start() : server.stop();
    done.then(
      () => response.end(),
      (error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      },
    );
  });
  control.listen(0, '127.0.0.1');
  await once(control, 'listening');
  return control;
}
