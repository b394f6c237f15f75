/**
 * A data directory handed from server to server. Each leg of the relay starts a server on what the one before left
 * behind, finds everything as it was, takes the sessions over, adds a random workload of its own and ends. The
 * workload is the generator of the differential test, playing with a single server.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApacheServer } from '../../support/apache.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { type ConnectAnswer, frame, parseConnectAnswer, RawConnection } from '../../support/raw-client.ts';
import { connectRequest } from '../../support/request-bodies.ts';
import { RingkeeperServer } from '../../support/ringkeeper.ts';
import { freePort, ServerKind, type ServerOptions, type TestServer } from '../../support/server.ts';
import { Generator } from '../differential/generator.ts';
import { serverOptions } from '../differential/run.ts';
import { type Session, Target } from '../differential/target.ts';
import { type HeldState, readHeldState } from './held-state.ts';

export interface Leg {
  readonly kind: ServerKind;
  readonly end: 'SIGTERM' | 'SIGKILL';
}

export interface Relay {
  readonly seed: number;
  /** Steps of each leg. */
  readonly stepCount: number;
  readonly legs: readonly Leg[];
  readonly config: Readonly<Record<string, string>>;
  /** How snapshot names have to end, e.g. `.gz`. */
  readonly snapshotSuffix: string;
}

export async function runRelay(relay: Relay, note: (text: string) => void): Promise<void> {
  let before: {
    readonly server: TestServer;
    readonly state: HeldState;
    readonly sessions: readonly Session[];
  };
  let server: TestServer | undefined;
  try {
    for (const [index, leg] of relay.legs.entries()) {
      const next = serverOf(leg.kind, relay);
      if (server !== undefined) {
        next.directory = server.directory;
        next.port = server.port;
      }
      const found = server === undefined ? null : copyOf(server);
      server = next;
      await server.start();
      if (found !== null) await verifyHandover(server, before!.state, before!.sessions, relay, found);
      const sessions = await work(server, relay, index);
      before = { server, state: await readHeldState(server.port), sessions };
      const count = Object.keys(before.state.znodes).length;
      note(`${leg.kind}: ${count} znodes, ${before.state.ephemerals.length} ephemerals, ${leg.end}`);
      await (leg.end === 'SIGTERM' ? server.stop() : server.kill());
      assert.ok(snapshots(server, relay.snapshotSuffix).length > index, 'a snapshot of each leg');
    }
  } finally {
    await server?.dispose();
  }
}

function serverOf(kind: ServerKind, relay: Relay): TestServer {
  const { config } = serverOptions(relay.seed);
  const options: ServerOptions = { config: { ...config, ...relay.config } };
  return kind === ServerKind.apache ? new ApacheServer(options) : new RingkeeperServer(options);
}

async function verifyHandover(
  server: TestServer,
  wanted: HeldState,
  sessions: readonly Session[],
  relay: Relay,
  /** The directory as the server found it. */
  found: string,
): Promise<void> {
  assert.deepEqual(await readHeldState(server.port), wanted, `what ${server.kind} found in the directory`);
  if (server.kind === ServerKind.apache) {
    const mntr = await fourLetterWord(server.port, 'mntr');
    assert.match(mntr, /^zk_digest_mismatches_count\t0$/m, 'tree digests recorded in the files');
  } else {
    const differs = mismatchLine(server);
    if (differs !== undefined) await expectApacheToAgree(differs, relay, found);
  }
  rmSync(found, { recursive: true, force: true });
  for (const session of sessions) {
    const password = session.password.slice();
    password[0] = password[0]! ^ 1;
    const refused = await reconnect(server.port, { ...session, password });
    assert.equal(refused.sessionId, 0n, 'a session with a wrong password');
    const taken = await reconnect(server.port, session);
    assert.equal(taken.sessionId, session.sessionId, 'the old password opens the session');
    assert.deepEqual(taken.password, session.password);
  }
}

function copyOf(server: TestServer): string {
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-relay-'));
  cpSync(join(server.directory, 'data'), join(directory, 'data'), { recursive: true });
  return directory;
}

function mismatchLine(
  server: TestServer,
): { readonly records: number; readonly firstZxid: string } | undefined {
  const lines = readFileSync(server.logFile, 'utf8').split('\n');
  const line = lines.find((text) => text.includes('the tree digest differs'));
  return line === undefined ? undefined : JSON.parse(line);
}

/**
 * A busy Apache now and then writes a digest into its log that its own tree never had (it is computed ahead, on another
 * thread than the one that applies). Then ringkeeper has to find what Apache finds in the same files.
 */
async function expectApacheToAgree(
  { records, firstZxid }: { readonly records: number; readonly firstZxid: string },
  relay: Relay,
  found: string,
): Promise<void> {
  const apache = serverOf(ServerKind.apache, relay);
  apache.directory = found;
  apache.port = await freePort();
  try {
    await apache.start();
    const warnings = readFileSync(apache.logFile, 'utf8').matchAll(/Digests are not matching.*Value:(\d+)/g);
    const zxids = [...warnings].map(([, zxid]) => `0x${Number(zxid).toString(16)}`);
    assert.deepEqual(
      [zxids.length, zxids[0]],
      [records, firstZxid],
      'digests that Apache finds wrong as well',
    );
  } finally {
    await apache.stop();
  }
}

async function reconnect(port: number, session: Session): Promise<ConnectAnswer> {
  const connection = await RawConnection.open(port);
  const { sessionId, password } = session;
  connection.write(frame(connectRequest({ timeoutMs: 700_000, sessionId, password, readOnly: false })));
  const answer = await connection.nextFrame();
  connection.destroy();
  if (answer === undefined) throw new Error('closed without an answer to the handshake');
  return parseConnectAnswer(answer);
}

/** Returns the sessions that are alive at the end. */
async function work(server: TestServer, relay: Relay, leg: number): Promise<readonly Session[]> {
  const target = new Target(server);
  // Neighbouring seeds serve the differential test: the workload has to be another.
  const generator = new Generator(relay.seed * 1000 + leg);
  try {
    for (let i = 0; i < relay.stepCount; i++) {
      const step = generator.next();
      generator.observe(step, await target.perform(step));
    }
    return target.openSessions();
  } finally {
    target.dispose();
  }
}

function snapshots(server: TestServer, suffix: string): string[] {
  const pattern = new RegExp(`^snapshot\\.[0-9a-f]+${suffix.replace('.', '\\.')}$`);
  return readdirSync(join(server.directory, 'data', 'version-2')).filter((name) => pattern.test(name));
}
