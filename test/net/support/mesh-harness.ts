/** A mesh on real sockets, what it was told, and what strangers say to its port byte by byte. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Refusal } from '../../../src/net/election-connection.ts';
import { ElectionMesh, type MeshOptions, type MeshPort } from '../../../src/net/election-mesh.ts';
import type { MeshPeer } from '../../../src/net/election-peers.ts';
import { nodeLoopPlatform } from '../../../src/server/platform/node-loop.ts';
import {
  type ElectionNotification,
  encodeInitialMessage,
  encodeNotification,
  ServerState,
} from '../../../src/wire/election-notification.ts';
import { freePorts } from '../../support/free-ports.ts';
import { until } from '../../support/until.ts';

export const HOST = '127.0.0.1';

export class MeshNode implements MeshPort {
  readonly heard: { readonly from: number; readonly notification: ElectionNotification }[] = [];
  readonly refusals: { readonly reason: Refusal; readonly sid: number }[] = [];
  readonly unreachable: { readonly sid: number; readonly why: string }[] = [];
  readonly lost: number[] = [];
  readonly listenLater: string[] = [];
  readonly mesh: ElectionMesh;
  readonly port: number;
  /** Added to what the clock shows. */
  laterMs = 0;

  constructor(sid: number, members: readonly MeshPeer[], options: Partial<MeshOptions> = {}) {
    const own = members.find((member) => member.sid === sid)!;
    this.port = own.addresses[0]!.port;
    const { loop, transport, clock } = nodeLoopPlatform;
    this.mesh = new ElectionMesh(
      {
        sid,
        addresses: own.addresses,
        listenOnAllIps: false,
        multiAddress: false,
        connectTimeoutMs: 2000,
        greetingTimeoutMs: 60_000,
        keepAlive: false,
        bindAttempts: 3,
        ...options,
      },
      { loop, transport, clock: { ...clock, monotonicMs: () => clock.monotonicMs() + this.laterMs } },
      this,
    );
    this.mesh.setMembers(members, members);
  }

  onNotification(from: number, notification: ElectionNotification): void {
    this.heard.push({ from, notification });
  }
  onRefused(reason: Refusal, _remote: string, sid: number): void {
    this.refusals.push({ reason, sid });
  }
  onLinkLost(sid: number): void {
    this.lost.push(sid);
  }
  onListenLater(why: string): void {
    this.listenLater.push(why);
  }
  onUnreachable(sid: number, _address: string, why: string): void {
    this.unreachable.push({ sid, why });
  }

  /** Until a message for `leader` has come from `from`. */
  hears(from: number, leader: number): Promise<void> {
    return until(async () =>
      this.heard.some((one) => one.from === from && one.notification.leader === leader),
    );
  }

  refused(reason: Refusal, count = 1): Promise<void> {
    return until(async () => this.mesh.counters.refused[reason] >= count);
  }
}

export async function membersOf(...sids: readonly number[]): Promise<MeshPeer[]> {
  const ports = await freePorts(sids.length);
  return sids.map((sid, i) => ({ sid, addresses: [{ host: HOST, port: ports[i]! }] }));
}

export async function meshOf(
  t: TestContext,
  ...args: ConstructorParameters<typeof MeshNode>
): Promise<MeshNode> {
  const node = new MeshNode(...args);
  t.after(() => node.mesh.close());
  await node.mesh.listen();
  return node;
}

export function frameFor(leader: number, configBytes = 4): Uint8Array {
  return encodeNotification({
    state: ServerState.looking,
    leader,
    zxid: 0,
    electionEpoch: 1,
    peerEpoch: 0,
    version: 2,
    config: new Uint8Array(configBytes).fill(0x61),
  });
}

export function greetingOf(sid: number, port: number): Uint8Array {
  return encodeInitialMessage(sid, [{ host: HOST, port }], 'V1');
}

/** A stranger's socket that has sent `bytes`. */
export async function stranger(
  t: TestContext,
  port: number,
  ...bytes: readonly Uint8Array[]
): Promise<Socket> {
  const socket = connect(port, HOST);
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  for (const part of bytes) socket.write(part);
  return socket;
}

/** Until the other side has ended `socket`. */
export async function ended(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.readableEnded && !socket.destroyed)
    await Promise.race([once(socket, 'end'), once(socket, 'close')]);
}
