/**
 * The one thing that random runs cannot contain, because it happens at a moment of the server's own choice: a session
 * whose client fell silent expires. What others see of it, and what the client is told when it comes back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CreateFlags, OpCode } from '../../../src/wire/opcodes.ts';
import { frame, parseConnectAnswer, RawClient, RawConnection } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import type { ServerOptions, TestServer } from '../../support/server.ts';

/** This process may stand still for less between the session's begin and the last watch, beside other tests. */
const SHORT_TIMEOUT_MS = 4_000;
/** Between two requests that keep the watcher's own session alive. */
const ASKED_EVERY_MS = 50;
const PATHS = ['/expiring/a', '/expiring/b'];

export const EXPIRY_SERVER: ServerOptions = {
  config: { tickTime: '200', maxSessionTimeout: '60000', forceSync: 'no' },
};

export interface ExpiryOutcome {
  readonly negotiatedMs: number;
  /** As a set: the order of one session's ephemerals is undefined. */
  readonly events: readonly string[];
  /** The zxids that the end of the session took. */
  readonly zxidsUsed: number;
  readonly childrenLeft: readonly (string | null)[];
  /** The answer to a reconnect with the right password, too late. */
  readonly reconnect: {
    readonly timeoutMs: number;
    readonly sessionId: bigint;
    readonly passwordBytes: number;
  };
  readonly closedAfterReconnect: boolean;
}

export async function letSessionExpire(server: TestServer): Promise<ExpiryOutcome> {
  const watcher = await RawClient.open(server.port, { timeoutMs: 60_000, readOnly: false });
  const mortal = await RawClient.open(server.port, { timeoutMs: SHORT_TIMEOUT_MS, readOnly: false });
  const create = (client: RawClient, path: string, flags: number): Promise<unknown> =>
    client.request(OpCode.create, bodies.create({ path, data: null, acls: bodies.OPEN_ACL, flags }));
  await create(watcher, '/expiring', CreateFlags.persistent);
  for (const path of PATHS) await create(mortal, path, CreateFlags.ephemeral);
  for (const path of PATHS) await watcher.request(OpCode.exists, bodies.pathAndBool(path, true));
  const { zxid: zxidBefore } = await watcher.request(
    OpCode.getChildren,
    bodies.pathAndBool('/expiring', true),
  );
  mortal.destroy();

  // Two deletions and one change of children; asking again and again keeps the watcher's own session alive.
  while (watcher.events.length < PATHS.length + 1) {
    await watcher.request(OpCode.exists, bodies.pathAndBool('/', false));
    await delay(ASKED_EVERY_MS);
  }
  const { body, zxid } = await watcher.request(OpCode.getChildren, bodies.pathAndBool('/expiring', false));
  const childrenLeft = body.strings();

  const late = await RawConnection.open(server.port);
  late.write(
    frame(
      bodies.connectRequest({
        timeoutMs: SHORT_TIMEOUT_MS,
        sessionId: mortal.session.sessionId,
        password: mortal.session.password,
        readOnly: false,
      }),
    ),
  );
  const answer = parseConnectAnswer((await late.nextFrame())!);
  const closedAfterReconnect = (await late.nextFrame()) === undefined;
  watcher.destroy();
  return {
    negotiatedMs: mortal.session.timeoutMs,
    events: watcher.events.map((event) => `${event.type} ${event.path}`).sort(),
    zxidsUsed: Number(zxid - zxidBefore),
    childrenLeft,
    reconnect: {
      timeoutMs: answer.timeoutMs,
      sessionId: answer.sessionId,
      passwordBytes: answer.password.length,
    },
    closedAfterReconnect,
  };
}
