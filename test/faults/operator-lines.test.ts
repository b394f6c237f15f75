/** What clients do wrong is in the operator's log: once each, with who it was, and with a count when it is repeated. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { OpCode } from '../../src/wire/opcodes.ts';
import { frame, RawClient, RawConnection } from '../support/raw-client.ts';
import { auth, connectRequest } from '../support/request-bodies.ts';
import type { Server } from './support/server.ts';
import { Workspace } from './support/workspace.ts';

let workspace: Workspace;

beforeEach(() => {
  workspace = new Workspace();
});

afterEach(() => workspace.dispose());

async function send(server: Server, bytes: string | Uint8Array): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: server.port });
  socket.on('error', () => undefined).resume();
  socket.write(bytes);
  await once(socket, 'close');
}

/** How often it happened: lines, and what stands for more of them. */
function countOf(log: string, text: string): number {
  const lines = log.split('\n').filter((line) => line.includes(text));
  return lines.reduce((sum, line) => sum + Number(/"times":(\d+)/.exec(line)?.[1] ?? 1), 0);
}

for (const threading of ['shared', 'dedicated'] as const) {
  describe(`the operator's log, ${threading}`, () => {
    test('HTTP, TLS and an unreasonable length on the client port', async () => {
      const server = await workspace.start({ threading });
      await send(server, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await server.logged(/"level":40.*"client":"127\.0\.0\.1:\d+".*a client speaks HTTP on the client port/);
      await send(server, new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]));
      await server.logged(/"level":40.*"client":"127\.0\.0\.1:\d+".*a client speaks TLS on the client port/);
      await send(server, new Uint8Array([0x10, 0, 0, 0]));
      await server.logged(/"length":268435456,"setting":"jute\.maxbuffer=1048575".*unreasonable length/);
    });

    test('connection limits, many times: some lines, not all, and the rest as a count at a clean stop', async () => {
      const server = await workspace.start({ threading, settings: { maxClientCnxns: 2 } });
      const clients = [await RawClient.open(server.port), await RawClient.open(server.port)];
      for (let i = 0; i < 50; i++) {
        const refused = connect({ host: '127.0.0.1', port: server.port });
        refused.on('error', () => undefined).resume();
        await once(refused, 'close');
      }
      await server.logged(/"level":40.*"setting":"maxClientCnxns=2".*too many connections from one address/);
      const lines = server.stderr.match(/too many connections from one address/g)!.length;
      assert.ok(lines <= 20, `${lines} lines`);
      for (const client of clients) client.destroy();
      assert.equal((await server.stop()).status, 0);
      assert.equal(countOf(server.stderr, 'too many connections from one address'), 50);
    });

    test('expired sessions, failed logins, and a client that has seen a later zxid', async () => {
      const server = await workspace.start({ threading, settings: { tickTime: 100 } });
      const client = await RawClient.open(server.port, { timeoutMs: 200, readOnly: false });
      const session = `0x${client.session.sessionId.toString(16)}`;
      client.destroy();
      await server.logged(new RegExp(`"level":30.*"session":"${session}","timeoutMs":\\d+.*session expired`));
      const other = await RawClient.open(server.port);
      const otherSession = `0x${other.session.sessionId.toString(16)}`;
      await other.request(OpCode.auth, auth('nosuch', new Uint8Array([1])));
      await server.logged(
        new RegExp(
          `"level":40.*"client":"127.0.0.1:\\d+","session":"${otherSession}","scheme":"nosuch".*authentication failed`,
        ),
      );
      const ahead = await RawConnection.open(server.port);
      ahead.write(frame(connectRequest({ timeoutMs: 30_000, readOnly: false, lastZxidSeen: 0x100000005n })));
      await ahead.serverClose();
      await server.logged(/"level":30.*"seenZxid":"0x100000005","zxid":"0x\d+".*has seen a later zxid/);
    });
  });
}
