/**
 * One small scene per row of `deliberate.ts`, played with raw requests. Each gives a short text of what the server did,
 * so that the two servers' behaviours stand side by side in the test.
 */
import { AddWatchMode, CreateFlags, OpCode, WatcherType } from '../../../src/wire/opcodes.ts';
import { JuteReader } from '../../support/jute.ts';
import { RawClient, type Reply, requestFrame } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import type { DeliberateId } from './deliberate.ts';

export interface Demonstration {
  readonly play: (client: RawClient, port: number) => Promise<string>;
  /** Undefined where the row says why Apache cannot be asked. */
  readonly apache: string | undefined;
  readonly ringkeeper: string;
}

/** Every znode a scene may leave behind, children first. */
export const SCENE_PATHS: readonly string[] = [
  '/d',
  '/d2',
  '/q/child',
  '/q/a',
  '/q/b',
  '/q/c',
  '/q',
  '/zookeeper/quota/q/zookeeper_limits',
  '/zookeeper/quota/q/zookeeper_stats',
  '/zookeeper/quota/q',
];

const BYTES = new Uint8Array([1]);
const UNREADABLE = [{ perms: 30, scheme: 'world', id: 'anyone' }];

function createBody(path: string, flags: number, data: Uint8Array = BYTES): Uint8Array {
  return bodies.create({ path, data, acls: bodies.OPEN_ACL, flags });
}

function outcome(reply: Reply): string {
  return `err ${reply.err}`;
}

/** What comes back for a request that may get no reply or lose the connection: a ping behind it tells. */
async function fate(client: RawClient, op: number, body: Uint8Array): Promise<string> {
  client.send(op, body);
  client.connection.write(requestFrame(-2, OpCode.ping));
  const first = await client.reply();
  if (first.xid === -2) return 'no reply';
  const rest = await client.connection.nextFrame();
  return `${outcome(first)}, ${rest === undefined ? 'closed' : 'open'}`;
}

export const DEMONSTRATIONS: Readonly<Record<DeliberateId, Demonstration | undefined>> = {
  'create-ttl-without-ttl-mode': {
    play: async (client) => {
      const body = bodies.create({ path: '/d', data: BYTES, acls: bodies.OPEN_ACL, flags: 0, ttl: -1n });
      return outcome(await client.request(OpCode.createTtl, body));
    },
    apache: undefined,
    ringkeeper: 'err -8',
  },
  'client-create-session': {
    play: async (client) => {
      const xid = client.send(OpCode.createSession, new Uint8Array([0, 0, 0x75, 0x30]));
      const answer = new JuteReader((await client.connection.nextFrame())!);
      if (answer.int() !== xid) return 'answers as to a handshake';
      answer.long();
      const err = answer.int();
      return `err ${err}, ${(await client.connection.nextFrame()) === undefined ? 'closed' : 'open'}`;
    },
    apache: 'answers as to a handshake',
    ringkeeper: 'err -6, closed',
  },
  'top-level-check': {
    play: (client) => fate(client, OpCode.check, bodies.pathAndInt('/', -1)),
    apache: 'no reply',
    ringkeeper: 'err -6, closed',
  },
  'create2-in-multi': {
    play: async (client) => {
      const subOps = [{ op: OpCode.create2, body: createBody('/d', CreateFlags.persistent) }];
      const reply = await client.request(OpCode.multi, bodies.multi(subOps));
      return `type ${reply.body.int()}`;
    },
    apache: 'type 1',
    ringkeeper: 'type 15',
  },
  'watcher-types': {
    play: async (client) => {
      await client.request(OpCode.addWatch, bodies.pathAndInt('/', AddWatchMode.persistent));
      const check = await client.request(OpCode.checkWatches, bodies.pathAndInt('/', WatcherType.persistent));
      const remove = await client.request(
        OpCode.removeWatches,
        bodies.pathAndInt('/', WatcherType.persistentRecursive),
      );
      return `${outcome(check)}, ${outcome(remove)}`;
    },
    apache: 'err -5, err -5',
    ringkeeper: 'err 0, err -121',
  },
  'independent-watch-modes': {
    play: async (client) => {
      await client.request(OpCode.create, createBody('/d', CreateFlags.persistent));
      await client.request(OpCode.addWatch, bodies.pathAndInt('/d', AddWatchMode.persistent));
      await client.request(OpCode.getData, bodies.pathAndBool('/d', true));
      await client.request(OpCode.setData, bodies.setData('/d', BYTES, -1));
      await client.request(OpCode.setData, bodies.setData('/d', BYTES, -1));
      return `${client.events.length} events`;
    },
    apache: '1 events',
    ringkeeper: '2 events',
  },
  'recursive-watch-table': {
    play: async (client) => {
      await client.request(OpCode.addWatch, bodies.pathAndInt('/', AddWatchMode.persistentRecursive));
      const ask = async (op: number): Promise<string> =>
        outcome(await client.request(op, bodies.pathAndInt('/', WatcherType.children)));
      return `${await ask(OpCode.checkWatches)}, ${await ask(OpCode.removeWatches)}`;
    },
    apache: 'err 0, err 0',
    ringkeeper: 'err 0, err -121',
  },
  'check-watches-of-others': {
    play: async (client, port) => {
      await client.request(OpCode.getData, bodies.pathAndBool('/', true));
      const other = await RawClient.open(port);
      const reply = await other.request(OpCode.checkWatches, bodies.pathAndInt('/', WatcherType.data));
      other.destroy();
      return outcome(reply);
    },
    apache: 'err 0',
    ringkeeper: 'err -121',
  },
  'exists-needs-read': {
    play: async (client) => {
      await client.request(
        OpCode.create,
        bodies.create({ path: '/d', data: BYTES, acls: UNREADABLE, flags: 0 }),
      );
      return outcome(await client.request(OpCode.exists, bodies.pathAndBool('/d', false)));
    },
    apache: 'err 0',
    ringkeeper: 'err -102',
  },
  'event-zxid': {
    play: async (client) => {
      await client.request(OpCode.exists, bodies.pathAndBool('/d', true));
      const { zxid } = await client.request(OpCode.create, createBody('/d', CreateFlags.persistent));
      const event = client.events[0]!;
      return event.zxid === zxid ? 'zxid of the transaction' : String(event.zxid);
    },
    apache: '-1',
    ringkeeper: 'zxid of the transaction',
  },
  'pipelined-set-acl': {
    play: async (client) => {
      await client.request(OpCode.create, createBody('/d', CreateFlags.persistent));
      client.send(OpCode.setAcl, bodies.setAcl('/d', [{ perms: 1, scheme: 'world', id: 'anyone' }], -1));
      client.send(OpCode.setData, bodies.setData('/d', BYTES, -1));
      return `${outcome(await client.reply())}, ${outcome(await client.reply())}`;
    },
    apache: undefined,
    ringkeeper: 'err 0, err -102',
  },
  'quota-text': {
    play: async (client) => {
      const text = new TextEncoder().encode('count=many');
      await client.request(OpCode.create, createBody('/q', CreateFlags.persistent));
      await client.request(OpCode.create, createBody('/zookeeper/quota/q', CreateFlags.persistent));
      await client.request(
        OpCode.create,
        createBody('/zookeeper/quota/q/zookeeper_limits', CreateFlags.persistent, text),
      );
      await client.request(
        OpCode.create,
        createBody('/zookeeper/quota/q/zookeeper_stats', CreateFlags.persistent, text),
      );
      await client.request(OpCode.setData, bodies.setData('/zookeeper/quota/q/zookeeper_stats', text, -1));
      return outcome(await client.request(OpCode.create, createBody('/q/child', CreateFlags.persistent)));
    },
    apache: undefined,
    ringkeeper: 'err 0',
  },
  'null-path-in-multi': {
    play: async (client) => {
      const before = await client.request(OpCode.delete, bodies.pathAndInt('/nowhere', -1));
      const write = [{ op: OpCode.delete, body: bodies.pathAndInt(null, -1) }];
      const reply = await client.request(OpCode.multi, bodies.multi(write));
      const after = await client.request(OpCode.delete, bodies.pathAndInt('/nowhere', -1));
      const zxids = `${reply.zxid - before.zxid} and ${after.zxid - before.zxid} later`;
      return `${outcome(reply)}, ${reply.body.remaining} bytes, ${zxids}`;
    },
    apache: 'err -5, 9 bytes, 0 and 2 later',
    ringkeeper: 'err -5, 0 bytes, 1 and 2 later',
  },
  'null-path-in-multi-read': {
    play: async (client) => {
      const read = [{ op: OpCode.getData, body: bodies.pathAndBool(null, false) }];
      const reply = await client.request(OpCode.multiRead, bodies.multi(read));
      return `${outcome(reply)}, ${reply.body.remaining} bytes`;
    },
    apache: 'err -5, 9 bytes',
    ringkeeper: 'err -5, 0 bytes',
  },
  'ipv6-acl': {
    play: async (client) => {
      const acls = [...bodies.OPEN_ACL, { perms: 1, scheme: 'ip', id: '2001:db8::1' }];
      return outcome(
        await client.request(OpCode.create, bodies.create({ path: '/d', data: BYTES, acls, flags: 0 })),
      );
    },
    apache: 'err -114',
    ringkeeper: 'err 0',
  },
  'order-of-children': {
    play: async (client) => {
      await client.request(OpCode.create, createBody('/q', CreateFlags.persistent));
      for (const name of ['c', 'a', 'b']) {
        await client.request(OpCode.create, createBody(`/q/${name}`, CreateFlags.persistent));
      }
      const { body } = await client.request(OpCode.getChildren, bodies.pathAndBool('/q', false));
      return Array.from({ length: body.int() }, () => body.string()).join(' ');
    },
    apache: 'a b c',
    ringkeeper: 'c a b',
  },
  'order-of-ids': {
    play: async (client) => {
      for (const user of ['zed', 'amy']) {
        await client.request(OpCode.auth, bodies.auth('digest', new TextEncoder().encode(`${user}:x`)));
      }
      const { body } = await client.request(OpCode.whoAmI);
      return Array.from({ length: body.int() }, () => `${body.string()} ${body.string()}`).join(', ');
    },
    apache: 'digest zed, digest amy, ip 127.0.0.1',
    ringkeeper: 'ip 127.0.0.1, digest zed, digest amy',
  },
  'count-of-empty-path': {
    play: async (client) => {
      const root = await client.request(OpCode.getAllChildrenNumber, bodies.path('/'));
      const empty = await client.request(OpCode.getAllChildrenNumber, bodies.path(''));
      return `${empty.body.int() - root.body.int()} more`;
    },
    apache: '1 more',
    ringkeeper: '0 more',
  },
  'watch-on-empty-path': {
    play: async (client) => {
      await client.request(OpCode.getData, bodies.pathAndBool('', true));
      await client.request(OpCode.setData, bodies.setData('/', BYTES, -1));
      return `${client.events.length} events`;
    },
    apache: '0 events',
    ringkeeper: '1 events',
  },
  'supplementary-characters': {
    play: async (client) => {
      const reply = await client.request(OpCode.sync, bodies.path('/\u{1f600}'));
      return Buffer.from(reply.body.buffer()!).toString('hex');
    },
    apache: '2feda0bdedb880',
    ringkeeper: '2ff09f9880',
  },
  'malformed-text': {
    play: async (client) => {
      const path = new Uint8Array([0, 0, 0, 3, 0x2f, 0xff, 0x61]);
      const reply = await client.request(OpCode.sync, path);
      return Buffer.from(reply.body.buffer()!).toString('hex');
    },
    apache: '2fefbfbd61',
    ringkeeper: '2fff61',
  },
  'null-watch-path': {
    play: async (client) =>
      outcome(await client.request(OpCode.addWatch, bodies.pathAndInt(null, AddWatchMode.persistent))),
    apache: 'err 0',
    ringkeeper: 'err -5',
  },
  'version-rollover': undefined,
};
