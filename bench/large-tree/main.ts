/**
 * The large-tree campaign: a million znodes of 100 bytes under one parent, then as a tree ten levels deep. Creates them,
 * reads the huge child list while another client pings, takes snapshots on the way, stops, starts again from disk, and
 * checks that everything is there. Longer than a test may take, so it has its own command:
 *
 *     node bench/large-tree/main.ts [--nodes 1000000] [--out results]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OpCode } from '../../src/wire/opcodes.ts';
import type { Address } from '../load/address.ts';
import { captureMachine } from '../measure/environment.ts';
import { parseStatusBytes } from '../measure/process-usage.ts';
import { type LargeReply, TreeClient } from './tree-client.ts';

const BINARY = join(import.meta.dirname, '../../src/bin/ringkeeper.js');
const RESULTS = join(import.meta.dirname, '../../results');
const DATA = new Uint8Array(100).fill(120);
const FAN_OUT = 4;
const SAMPLES = 1000;

interface ShapeResult {
  readonly shape: string;
  readonly znodes: number;
  readonly createSeconds: number;
  readonly createsPerSecond: number;
  readonly residentMiB: number;
  readonly childList: (LargeReply & { readonly worstPingMs: number; readonly pings: number }) | null;
  readonly snapshots: readonly string[];
  readonly restartSeconds: number;
  readonly residentAfterRestartMiB: number;
}

interface Server {
  readonly address: Address;
  readonly pid: number;
  readonly log: () => string;
  stop(): Promise<void>;
}

function* flatPaths(count: number): Generator<string> {
  yield '/flat';
  for (let i = 1; i < count; i++) yield `/flat/node-${String(i).padStart(10, '0')}`;
}

/** Breadth first: every znode after its parent. */
function* deepPaths(count: number): Generator<string> {
  const parents = ['/deep'];
  yield '/deep';
  for (let made = 1, i = 0; made < count; i++) {
    for (let child = 0; child < FAN_OUT && made < count; child++, made++) {
      const path = `${parents[i]}/${child}`;
      parents.push(path);
      yield path;
    }
  }
}

function startServer(dataDir: string): Promise<Server> {
  const args = [
    BINARY,
    'serve',
    '--data-dir',
    dataDir,
    '--client-port',
    '0',
    '--client-port-address',
    '127.0.0.1',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text: Buffer) => {
    log += text.toString();
  });
  const exited = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${log}`)));
    child.stdout.on('data', (text: Buffer) => {
      const match = /^ready port=(\d+) .*pid=(\d+)/m.exec(text.toString());
      if (match === null) return;
      resolve({
        address: { host: '127.0.0.1', port: Number(match[1]) },
        pid: Number(match[2]),
        log: () => log,
        stop: async () => {
          child.kill('SIGTERM');
          await exited;
        },
      });
    });
  });
}

function residentMiB(pid: number): number {
  return Math.round(parseStatusBytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS') / 2 ** 20);
}

async function readChildList(server: Server, path: string): Promise<NonNullable<ShapeResult['childList']>> {
  const reader = await TreeClient.open(server.address);
  const pinger = await TreeClient.open(server.address);
  // Once to warm up, once to count.
  await reader.getLarge(path);
  const reply = reader.getLarge(path);
  const pings = await pinger.pingUntil(reply);
  reader.close();
  pinger.close();
  return { ...(await reply), worstPingMs: pings.worstMs, pings: pings.count };
}

async function verify(server: Server, root: string, paths: readonly string[]): Promise<void> {
  const client = await TreeClient.open(server.address);
  const count = await client.request({ op: OpCode.getAllChildrenNumber, path: root });
  if (count.readInt32BE(20) !== paths.length - 1)
    throw new Error(`${count.readInt32BE(20)} znodes after restart`);
  for (let i = 0; i < SAMPLES; i++) {
    const path = paths[Math.floor((i * paths.length) / SAMPLES)]!;
    const reply = await client.request({ op: OpCode.getData, path, watch: false });
    const data = reply.subarray(24, 24 + reply.readInt32BE(20));
    if (Buffer.compare(data, DATA) !== 0) throw new Error(`${path} has other data after restart`);
  }
  client.close();
}

async function measure(shape: 'flat' | 'deep', nodes: number): Promise<ShapeResult> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ringkeeper-large-tree-'));
  try {
    const paths = [...(shape === 'flat' ? flatPaths(nodes) : deepPaths(nodes))];
    let server = await startServer(dataDir);
    const creator = await TreeClient.open(server.address);
    const startMs = performance.now();
    await creator.createAll(paths[Symbol.iterator](), DATA);
    const createSeconds = (performance.now() - startMs) / 1000;
    const resident = residentMiB(server.pid);
    const childList = shape === 'flat' ? await readChildList(server, '/flat') : null;
    creator.close();
    await server.stop();
    const snapshots = [...server.log().matchAll(/"znodes":(\d+),"bytes":\d+,"ms":(\d+)/g)].map(
      (match) => `${match[1]} znodes in ${match[2]} ms`,
    );
    const restartMs = performance.now();
    server = await startServer(dataDir);
    const restartSeconds = (performance.now() - restartMs) / 1000;
    await verify(server, `/${shape}`, paths);
    const residentAfterRestart = residentMiB(server.pid);
    await server.stop();
    return {
      shape,
      znodes: paths.length,
      createSeconds,
      createsPerSecond: Math.round(paths.length / createSeconds),
      residentMiB: resident,
      childList,
      snapshots: snapshots.slice(-3),
      restartSeconds,
      residentAfterRestartMiB: residentAfterRestart,
    };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function summary(results: readonly ShapeResult[], command: string, environment: string): string {
  const lines = [
    '# Large tree',
    '',
    `\`${command}\``,
    '',
    environment,
    '',
    '| | ' + results.map((r) => r.shape).join(' | ') + ' |',
    '|---|' + results.map(() => '---|').join(''),
    '| znodes of 100 B | ' + results.map((r) => r.znodes.toLocaleString('en')).join(' | ') + ' |',
    '| created in, one session | ' +
      results
        .map((r) => `${r.createSeconds.toFixed(1)} s, ${r.createsPerSecond.toLocaleString('en')}/s`)
        .join(' | ') +
      ' |',
    '| resident after creation | ' + results.map((r) => `${r.residentMiB} MiB`).join(' | ') + ' |',
    '| getChildren of all | ' +
      results
        .map((r) =>
          r.childList === null
            ? 'not asked'
            : `${(r.childList.bytes / 1e6).toFixed(1)} MB in ${r.childList.wholeMs.toFixed(0)} ms`,
        )
        .join(' | ') +
      ' |',
    '| worst ping of another client meanwhile | ' +
      results
        .map((r) =>
          r.childList === null ? '' : `${r.childList.worstPingMs.toFixed(1)} ms of ${r.childList.pings}`,
        )
        .join(' | ') +
      ' |',
    '| last snapshots | ' + results.map((r) => r.snapshots.join('; ')).join(' | ') + ' |',
    '| start from disk until ready | ' +
      results.map((r) => `${r.restartSeconds.toFixed(2)} s`).join(' | ') +
      ' |',
    '| resident after start | ' + results.map((r) => `${r.residentAfterRestartMiB} MiB`).join(' | ') + ' |',
    '',
    `After the start the number of znodes and the data of ${SAMPLES} of them were compared: equal.`,
    '',
  ];
  return lines.join('\n');
}

const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '1000000' }, out: { type: 'string', default: RESULTS } },
});
const nodes = Number(values.nodes);
const results: ShapeResult[] = [];
for (const shape of ['flat', 'deep'] as const) {
  console.log(`${shape}: ${nodes} znodes ...`);
  const result = await measure(shape, nodes);
  console.log(result);
  results.push(result);
}
const environment = captureMachine(tmpdir());
const commit = execFileSync('git', ['rev-parse', '--short=7', 'HEAD'], {
  cwd: import.meta.dirname,
  encoding: 'utf8',
}).trim();
const folder = join(values.out, `${new Date().toISOString().slice(0, 10)}-large-tree-ringkeeper-${commit}`);
mkdirSync(folder, { recursive: true });
const command = `node bench/large-tree/main.ts --nodes ${nodes}`;
const text = `${environment.cpuCount} x ${environment.cpuModel}, ${environment.kernel}, Node ${environment.nodeVersion}, commit ${commit}, data on ${environment.dataFilesystem}`;
writeFileSync(
  join(folder, 'run.json'),
  JSON.stringify({ schema: 1, command, environment, results }, null, 2) + '\n',
);
writeFileSync(join(folder, 'summary.md'), summary(results, command, text));
console.log(`saved in ${folder}`);
