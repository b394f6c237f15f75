/** What is said of a service that was there before: what it holds, and what became of it. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { sayDrift, stateAfter, stateBefore } from '../../../bench/run/service-state.ts';
import type { Target } from '../../../bench/target/target.ts';
import { planOf } from './support.ts';

/** A server that knows one word. */
async function answering(text: () => string): Promise<{ server: Server; target: Target }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(text()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { server, target: { addresses: [{ host: '127.0.0.1', port }] } as unknown as Target };
}

async function saidBy(body: () => Promise<void> | void): Promise<string[]> {
  const { write } = process.stderr;
  const lines: string[] = [];
  process.stderr.write = ((text: string) => lines.push(text.trimEnd()) > 0) as typeof write;
  try {
    await body();
  } finally {
    process.stderr.write = write;
  }
  return lines;
}

test('a used service: its tree is named before, and what it holds more afterwards', async (t) => {
  let znodes = 2_000_012;
  const word = (): string =>
    `Zookeeper version: 3.8.0-5a02a05, built on x\nConnections: 4\nMode: leader\nNode count: ${znodes}\n`;
  const { server, target } = await answering(word);
  t.after(() => server.close());
  const lines = await saidBy(async () => {
    const before = await stateBefore(target);
    znodes += 7;
    await stateAfter(target, before!);
    znodes -= 7;
    await stateAfter(target, before!);
  });
  assert.match(
    lines[0]!,
    /version 3\.8\.0, leader, 2,000,012 znodes, 3 connections of others - what is measured/,
  );
  assert.match(lines[1]!, /7 znodes more than before; what this run made is removed/);
  assert.equal(lines.length, 2, 'nothing is said of nothing');
});

test('phases that begin with another tree than the first are named', async () => {
  const [plan] = planOf({ later: { mix: { get: 1 } } }).phases;
  const phase = (before: number | null) => ({ plan: plan!, treeSize: { before, after: null } });
  assert.deepEqual(await saidBy(() => sayDrift([phase(1_000), phase(1_050), phase(null)])), []);
  const [line] = await saidBy(() => sayDrift([phase(1_000), phase(2_000_000)]));
  assert.match(line!, /^phase later began with 2,000,000 znodes on the service, the first one with 1,000:/);
});
