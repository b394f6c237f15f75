/**
 * The links between election ports, over a simulated TCP.
 *
 *     servers 1 2 3        an ensemble
 *     open 1 2             they open their election ports
 *     tell 1->2 5          1 has something to say to 2: that it votes for 5
 *     again 1              1 dials everybody for whom something waits
 *     run 100              time passes, in ms
 *     crash 2              its process ends, which its machine tells the others; `open` starts it anew
 *     power-loss 2         its machine is gone without a word
 *     lose-name 2          its name does not resolve; find-name 2 it does again
 *     stranger 1 hex 16…   somebody says these bytes to the port of 1
 *     stranger 1 as 2 at s9:3888 [5]    somebody says it is 2, can be called back there, and votes for 5
 */
import assert from 'node:assert/strict';
import { ElectionMesh } from '../../src/net/election-mesh.ts';
import { ReadBuffer, type Transport } from '../../src/net/transport.ts';
import {
  encodeInitialMessage,
  encodeNotification,
  ServerState,
} from '../../src/wire/election-notification.ts';
import { hostPortText, parseHostPort } from '../../src/wire/host-port.ts';
import { ElectionNetwork, type Host } from '../sim/election/network.ts';
import { World } from '../sim/world.ts';
import type { TranscriptWorld } from './transcript.ts';

const PORT = 3888;

class Node implements Host {
  readonly name: string;
  isAlive = true;
  private readonly world: World;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
  }

  run(callback: () => void): void {
    this.world.after(0, () => this.isAlive && callback());
  }
  alter(bytes: Uint8Array): Uint8Array {
    return bytes;
  }
}

export class MeshWorld implements TranscriptWorld {
  private readonly world = new World(1, false);
  private readonly network = new ElectionNetwork(this.world, 1);
  private readonly nodes = new Map<number, { readonly host: Node; readonly mesh: ElectionMesh }>();
  private readonly lines: string[] = [];
  private sids: readonly number[] = [];

  run(command: string, words: readonly string[]): readonly string[] {
    this.lines.length = 0;
    const [first = ''] = words;
    if (command === 'servers') this.sids = words.map(Number);
    else if (command === 'open') for (const sid of words) this.open(Number(sid));
    else if (command === 'tell') this.tell(first, Number(words[1]));
    else if (command === 'again') this.mesh(Number(first)).connectAll();
    else if (command === 'run') this.world.runAtOnce(() => false, Number(first));
    else if (command === 'crash' || command === 'power-loss')
      this.kill(Number(first), command === 'power-loss');
    else if (command === 'lose-name') this.network.unknownNames.add(`s${first}`);
    else if (command === 'find-name') this.network.unknownNames.delete(`s${first}`);
    else if (command === 'stranger') this.stranger(first, words.slice(1));
    else assert.fail(`no command ${command}`);
    return [...this.lines];
  }

  private mesh(sid: number): ElectionMesh {
    return this.nodes.get(sid)!.mesh;
  }

  private open(sid: number): void {
    const host = new Node(this.world, `s${sid}`);
    this.network.revive(host.name);
    const members = this.sids.map((other) => ({
      sid: other,
      addresses: [{ host: `s${other}`, port: PORT }],
    }));
    const mesh = new ElectionMesh(
      {
        sid,
        addresses: [{ host: host.name, port: PORT }],
        listenOnAllIps: false,
        multiAddress: false,
        connectTimeoutMs: 1000,
        greetingTimeoutMs: 2000,
        keepAlive: false,
        bindAttempts: 1,
      },
      {
        transport: this.told(sid, this.network.transportOf(host)),
        loop: this.loopOf(host),
        clock: { monotonicMs: () => this.world.nowMs, wallMs: () => this.world.wallMs },
      },
      {
        onNotification: (from, { leader }) => this.say(`${sid} hears ${from}: ${leader}`),
        onRefused: (reason, remote, who) =>
          this.say(
            `${sid} closes the connection from ${remote}${who < 0 ? '' : `, which says it is ${who}`}: ${reason}`,
          ),
        onListenLater: () => {},
        onLinkLost: () => {},
        onUnreachable: (other, address, why) =>
          this.say(`${sid} cannot reach ${other} at ${address}: ${why}`),
      },
    );
    mesh.setMembers(members, members);
    // A port of this network is open at once.
    void mesh.listen();
    this.nodes.set(sid, { host, mesh });
  }

  private loopOf(host: Host) {
    const after = (delayMs: number, callback: () => void) => {
      let isOn = true;
      this.world.after(delayMs, () => host.run(() => isOn && callback()));
      return { cancel: () => void (isOn = false) };
    };
    const every = (intervalMs: number, callback: () => void) => {
      const again = (): void => {
        callback();
        after(intervalMs, again);
      };
      return after(intervalMs, again);
    };
    return { soon: (callback: () => void) => host.run(callback), after, every };
  }

  private told(sid: number, transport: Transport): Transport {
    return {
      ...transport,
      dial: (options, buffer, handler) => {
        this.say(`${sid} dials ${hostPortText(options)}`);
        return transport.dial(options, buffer, handler);
      },
    };
  }

  private tell(pair: string, leader: number): void {
    const [from, to] = pair.split('->').map(Number);
    this.mesh(from!).send(to!, frameFor(leader));
  }

  private kill(sid: number, power: boolean): void {
    const { host } = this.nodes.get(sid)!;
    host.isAlive = false;
    this.network.kill(host, power);
    this.nodes.delete(sid);
  }

  private stranger(target: string, words: readonly string[]): void {
    const host = new Node(this.world, 'somewhere');
    const nothing = (): void => {};
    const closed = (): void => this.say('the stranger is closed');
    const socket = this.network
      .transportOf(host)
      .dial({ host: `s${target}`, port: PORT, timeoutMs: 100, keepAlive: false }, new ReadBuffer(), {
        onOpen: () => socket.write(Buffer.from(wordsOf(words))),
        onBytes: nothing,
        onEnd: closed,
        onClose: closed,
        onDialFailed: nothing,
      });
  }

  private say(line: string): void {
    this.lines.push(line);
  }
}

function wordsOf([how, what, at, place, vote]: readonly string[]): Uint8Array {
  if (how === 'hex') return Buffer.from(what!, 'hex');
  assert.ok(how === 'as' && at === 'at');
  const greeting = encodeInitialMessage(Number(what), [parseHostPort(place!)!], 'V1');
  return vote === undefined ? greeting : Buffer.concat([greeting, frameFor(Number(vote))]);
}

function frameFor(leader: number): Uint8Array {
  const config = new Uint8Array([0x61]);
  const state = ServerState.looking;
  return encodeNotification({ state, leader, zxid: 0, electionEpoch: 1, peerEpoch: 0, version: 2, config });
}
