/** How much memory idle sessions cost, for growing numbers of them in each threading mode. */
import type { FaultFindings } from '../../../bench/campaigns/faults/command.ts';
import { RawClient } from '../../support/raw-client.ts';
import { connectionsPossible, crowd } from './crowd.ts';
import { getChildren, ok } from './requests.ts';
import { type Server, THREADING_MODES, type ThreadingMode } from './server.ts';
import { Workspace } from './workspace.ts';

const SESSION_TIMEOUT_MS = 40_000;

interface IdleResult {
  readonly threading: ThreadingMode;
  readonly connections: number;
  readonly residentMibBefore: number;
  readonly residentMib: number;
  readonly kibEach: number;
}

export async function idleCampaign(wanted: number): Promise<FaultFindings> {
  const connections = Math.min(wanted, connectionsPossible());
  if (connections < wanted) {
    process.stdout.write(`only ${connections}: the limit of open files (ulimit -n) allows no more\n`);
  }
  const results: IdleResult[] = [];
  for (const threading of THREADING_MODES) results.push(await measure(threading, connections));
  const rows = results.map(
    ({ threading, residentMibBefore, residentMib, kibEach }) =>
      `| ${threading} | ${connections} | ${residentMibBefore} MiB | ${residentMib} MiB | ${kibEach} KiB |`,
  );
  const text = [
    '# Idle sessions',
    '',
    '| threading | connections | resident before | with them | each |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    'With all of them there a request of the first and of the last one was answered.',
  ];
  return { facts: { results }, text };
}

async function measure(threading: ThreadingMode, connections: number): Promise<IdleResult> {
  const workspace = new Workspace();
  try {
    const server: Server = await workspace.start({ threading });
    await ok(await RawClient.open(server.port), getChildren('/'));
    const residentMibBefore = server.residentMib();
    const open = (): Promise<RawClient> => RawClient.open(server.port, { timeoutMs: SESSION_TIMEOUT_MS });
    const clients = await crowd(connections, open);
    await ok(clients[0]!, getChildren('/'));
    await ok(clients.at(-1)!, getChildren('/'));
    const residentMib = server.residentMib();
    for (const client of clients) client.destroy();
    const kibEach = Math.round(((residentMib - residentMibBefore) * 10_240) / connections) / 10;
    process.stdout.write(`${threading}: ${connections} sessions, ${kibEach} KiB each\n`);
    return { threading, connections, residentMibBefore, residentMib, kibEach };
  } finally {
    await workspace.dispose();
  }
}
