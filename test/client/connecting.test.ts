/** The way to a server: names, SRV records, TLS, SASL, and functions of the user that throw on that way. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import dns from 'node:dns';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import type { Host } from '../../src/client/connect-string.ts';
import { type ConnectOptions, connect, isZk, open, saslDigest } from '../../src/client/index.ts';
import { NodeTransport } from '../../src/client/node-transport.ts';
import { ApacheServer } from '../support/apache.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { until } from '../support/until.ts';

const pem = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../fixtures/tls', name), 'utf8');

describe('the way to a server', { skip: needRingkeeper(), timeout: 300_000 }, () => {
  let server: RingkeeperServer;

  before(async () => {
    server = new RingkeeperServer();
    await server.start();
  });
  after(() => server.dispose());

  it('resolves a name anew at every attempt', async () => {
    const lookup = dns.lookup;
    const asked: string[] = [];
    // Nobody listens at the first address; the name moves with the second question.
    const fake = (name: string, options: dns.LookupOptions, done: (...answer: unknown[]) => void): void => {
      asked.push(name);
      const address = asked.length === 1 ? '127.0.0.9' : '127.0.0.1';
      const all = [{ address, family: 4 }];
      process.nextTick(() => (options.all === true ? done(null, all) : done(null, address, 4)));
    };
    dns.lookup = fake as unknown as typeof dns.lookup;
    try {
      await using zk = await connect(`zookeeper.test:${server.port}`);
      assert.equal((await zk.getData('/')).stat.version, 0);
    } finally {
      dns.lookup = lookup;
    }
    assert.deepEqual(asked, ['zookeeper.test', 'zookeeper.test']);
  });

  it('finds its servers by SRV records', async () => {
    const names = createSocket('udp4');
    const questions: string[] = [];
    names.on('message', (query, from) => {
      const { name, end } = questionOf(query);
      questions.push(name);
      names.send(srvAnswer(query, end, server.port), from.port, from.address);
    });
    names.bind(0, '127.0.0.1');
    await once(names, 'listening');
    const usual = dns.promises.getServers();
    dns.promises.setServers([`127.0.0.1:${names.address().port}`]);
    try {
      await using zk = await connect('dns-srv://_zookeeper._tcp.example.test/app');
      await zk.ensureChroot();
      assert.equal((await zk.create('/x')).path, '/x');
      assert.equal(zk.server, `localhost:${server.port}`);
    } finally {
      dns.promises.setServers(usual);
      names.close();
    }
    assert.equal(questions[0], '_zookeeper._tcp.example.test');
  });

  it('asks for SRV records again when they cannot be had, and ends meanwhile when it is told to', async () => {
    let asked = 0;
    class Resolver extends NodeTransport {
      override async resolveSrv(): Promise<readonly Host[]> {
        asked++;
        if (asked === 1) throw new Error('the resolver is away');
        return asked === 2 ? [] : [{ name: '127.0.0.1', port: server.port }];
      }
    }
    const name = 'dns-srv://_zookeeper._tcp.example.test';
    await using zk = await connect(name, { transport: new Resolver(null) });
    assert.equal(asked, 3);
    assert.equal((await zk.getData('/')).stat.version, 0);
    // Nobody knows the name, until it is given up.
    const away = Object.assign(new NodeTransport(null), {
      resolveSrv: () => Promise.reject(new Error('the resolver is away')),
    });
    await using waiting = await open(name, { transport: away });
    const call = assert.rejects(waiting.getData('/'), (error) => isZk(error, 'CLOSED'));
    const { driver } = waiting.core;
    await until(async () => driver.lastEnd !== null);
    assert.equal(driver.lastEnd, '_zookeeper._tcp.example.test: the resolver is away');
    await waiting.close();
    await call;
    const stop = new AbortController();
    const giveUp = connect(name, { transport: away, signal: stop.signal });
    stop.abort(new Error('enough'));
    await assert.rejects(giveUp, /enough/);
  });

  describe('TLS', () => {
    /** Takes TLS off in front of the server. */
    async function terminator(name = 'server'): Promise<{ port: number; close: () => Promise<void> }> {
      const open = new Set<TLSSocket>();
      const front = createServer(
        {
          key: pem(`${name}.key`),
          cert: pem(`${name}.crt`),
          ca: pem('ca.crt'),
          requestCert: true,
          rejectUnauthorized: true,
        },
        (socket) => {
          open.add(socket);
          const back = connectTcp(server.port, '127.0.0.1');
          socket.pipe(back).pipe(socket);
          for (const one of [socket, back]) one.on('error', () => one.destroy());
          socket.on('close', () => back.destroy());
        },
      );
      front.on('tlsClientError', () => undefined);
      front.listen(0, '127.0.0.1');
      await once(front, 'listening');
      const { port } = front.address() as AddressInfo;
      const close = async (): Promise<void> => {
        for (const socket of open) socket.destroy();
        front.close();
        await once(front, 'close');
      };
      return { port, close };
    }

    const identity = { ca: pem('ca.crt'), cert: pem('client.crt'), key: pem('client.key') };

    it('takes the options of node:tls, or a function that is asked at every attempt', async () => {
      const front = await terminator();
      let asked = 0;
      const options = (): typeof identity => {
        // As long as the new certificate is half written.
        if (++asked === 1) throw new Error('no certificate yet');
        if (asked === 2) return { ...identity, cert: 'no certificate' };
        return identity;
      };
      for (const tls of [identity, options]) {
        const zk = await connect(`localhost:${front.port}`, { tls });
        await zk.create('/tls', 'x'.repeat(200_000)).catch(() => undefined);
        assert.equal((await zk.getData('/tls')).data?.length, 200_000);
        await zk.close();
      }
      assert.equal(asked, 3);
      await front.close();
    });

    it('refuses a server of another name, and says so', async () => {
      const front = await terminator('server-wronghost');
      const causes = await causesOf(`localhost:${front.port}`, { tls: identity });
      assert.match(causes, /does not match|altnames/i);
      await front.close();
    });
  });

  it('a SASL hook that throws ends the client with its words, and no call hangs', async () => {
    const hooks = [
      () => {
        throw new Error('no ticket');
      },
      () => ({
        first: () => {
          throw new Error('no ticket');
        },
        next: () => null,
      }),
    ];
    for (const sasl of hooks) {
      await assert.rejects(connect(server.address, { sasl }), (error) => {
        assert.ok(isZk(error, 'AUTHFAILED'));
        assert.match(String(error.cause), /no ticket/);
        return true;
      });
    }
  });
});

describe('SASL DIGEST-MD5 with Apache 3.8.0', { skip: need('java', 'zookeeper'), timeout: 300_000 }, () => {
  let server: ApacheServer;

  before(async () => {
    server = new ApacheServer({ sasl: true });
    await server.start();
  });
  after(() => server.dispose());

  it('proves the user on every connection, and the server proves itself', async () => {
    await using zk = await connect(server.address, { sasl: saslDigest('jaasuser', 'jaas_password') });
    const acl = [{ perms: 31, scheme: 'sasl', id: 'jaasuser' }];
    await zk.create('/mine', 'x', { acl });
    await using stranger = await connect(server.address);
    await assert.rejects(stranger.getData('/mine'), (error) => isZk(error, 'NOAUTH'));
    await server.stop();
    await server.start();
    assert.equal(Buffer.from((await zk.getData('/mine')).data!).toString(), 'x');
  });

  it('ends for good with a wrong password', async () => {
    await assert.rejects(connect(server.address, { sasl: saslDigest('jaasuser', 'wrong') }), (error) =>
      isZk(error, 'AUTHFAILED'),
    );
  });
});

/** What ended the first attempts of a client that never gets through. */
async function causesOf(address: string, options: ConnectOptions): Promise<string> {
  const zk = await open(address, options);
  const { driver } = zk.core;
  while (driver.lastEnd === null) await new Promise((resolve) => setImmediate(resolve));
  await zk.close();
  return driver.lastEnd;
}

function questionOf(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 5 };
}

/** One SRV record: `localhost` and the port. */
function srvAnswer(query: Buffer, questionEnd: number, port: number): Buffer {
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 6);
  head.writeUInt32BE(0, 8);
  const target = Buffer.from('\x09localhost\x00', 'latin1');
  const record = Buffer.alloc(18);
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(33, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(60, 6);
  record.writeUInt16BE(6 + target.length, 10);
  record.writeUInt16BE(port, 16);
  return Buffer.concat([head, query.subarray(12, questionEnd), record, target]);
}
