/**
 * The shell's TLS and SASL: against Apache 3.8.0 with a secure port, by flags and by the file that Java's client reads, which a
 * zkCli reads too; and what cannot be had here is refused with one line.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { open } from '../../src/client/index.ts';
import { readClientConfiguration } from '../../src/shell/client-configuration.ts';
import { digestLogin } from '../../src/shell/jaas.ts';
import { ApacheServer, CLASS_PATH, JVM_FLAGS } from '../support/apache.ts';
import { freePort } from '../support/server.ts';
import { need } from '../support/skip.ts';
import { until } from '../support/until.ts';
import { SHELL_DEFAULTS, shell, shellProcess } from './support/run-shell.ts';

const TLS = join(import.meta.dirname, '../fixtures/tls');
const pem = (name: string): string => readFileSync(join(TLS, name), 'utf8');
const TRUSTED = 'zookeeper.ssl.trustStore.location';
const ALICE = /x509: CN=alice,OU=clients,O=Ringkeeper Test/;
const JAAS = `/* who we are */
Client {
  org.apache.zookeeper.server.auth.DigestLoginModule required
  username="jaasuser" password="jaas_password"; // as the server knows us
};
Kerberos { com.sun.security.auth.module.Krb5LoginModule required; };
`;

describe('the shell with files of security', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shell-security-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const properties = (values: Readonly<Record<string, string>>): string =>
    Object.entries(values)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');
  const configured = (values: Readonly<Record<string, string>>, jaas: string | null = null) => ({
    security: {
      ...SHELL_DEFAULTS.security,
      clientConfiguration: file('client.properties', properties(values)),
      jaas,
    },
  });

  const SECURE = {
    'zookeeper.client.secure': 'true',
    'zookeeper.clientCnxnSocket': 'org.apache.zookeeper.ClientCnxnSocketNetty',
    [TRUSTED]: join(folder, 'ca.pem'),
  };
  const PEM_IDENTITY = { 'zookeeper.ssl.keyStore.location': join(folder, 'client.pem') };
  const P12_IDENTITY = {
    'zookeeper.ssl.keyStore.location': join(TLS, 'client.p12'),
    'zookeeper.ssl.keyStore.password': 'changeit',
  };
  file('ca.pem', pem('ca.crt'));
  file('client.pem', pem('client.key') + pem('client.crt'));
  file('server.pem', pem('server.key') + pem('server.crt'));
  const jaas = file('jaas.conf', JAAS);

  describe('on Apache 3.8.0', { skip: need('java', 'zookeeper') }, () => {
    let server: ApacheServer;
    let secure = '';

    before(async () => {
      const port = await freePort();
      secure = `127.0.0.1:${port}`;
      server = new ApacheServer({
        sasl: true,
        config: {
          secureClientPort: String(port),
          serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
          'ssl.keyStore.location': join(folder, 'server.pem'),
          'ssl.trustStore.location': join(folder, 'ca.pem'),
        },
      });
      await server.start();
    });
    after(() => server?.dispose());

    it('reads what zkCli reads: PEM, PKCS12, protocols, a JAAS file', async () => {
      const protocols = { 'zookeeper.ssl.enabledProtocols': 'TLSv1.2,TLSv1.3' };
      for (const values of [
        { ...SECURE, ...PEM_IDENTITY },
        { ...SECURE, ...P12_IDENTITY, ...protocols },
      ]) {
        const options = configured({ ...values, 'java.security.auth.login.config': jaas });
        const { status, stdout, stderr } = await shell(secure, 'whoami', options);
        assert.deepEqual([status, stderr], [0, '']);
        assert.match(stdout, ALICE);
        assert.match(stdout, /sasl: jaasuser/);
      }
      const main = ['org.apache.zookeeper.ZooKeeperMain', '-server', secure, '-waitforconnection'];
      const config = [
        '-client-configuration',
        configured({ ...SECURE, ...PEM_IDENTITY }).security.clientConfiguration,
      ];
      const args = [...JVM_FLAGS, '-cp', CLASS_PATH, ...main, ...config, 'whoami'];
      const { stdout } = await promisify(execFile)('java', args);
      assert.match(stdout, ALICE);
    });

    it('takes the same as flags', async () => {
      const files = ['--tls-ca', join(TLS, 'ca.crt'), '--tls-cert', join(TLS, 'client.crt')];
      const args = [...files, '--tls-key', join(TLS, 'client.key'), '--jaas', jaas, secure, 'whoami'];
      const { status, stdout, stderr } = await shellProcess(args);
      assert.deepEqual([status, stderr], [0, '']);
      assert.match(stdout, ALICE);
      assert.match(stdout, /sasl: jaasuser/);
    });

    it('says in one line why it does not get through', async () => {
      const wrong = file('wrong.conf', JAAS.replace('jaas_password', 'wrong'));
      for (const [servers, login, waitMs, why] of [
        // Without TLS.
        [secure, null, 1_000, /no server answers at .* within 1000 ms/],
        [server.address, wrong, 60_000, /refused the session/],
      ] as const) {
        const { status, stderr } = await shell(servers, 'ls /', { ...configured({}, login), waitMs });
        assert.deepEqual([status, stderr.trim().split('\n').length], [3, 1], stderr);
        assert.match(stderr, why);
      }
      const strangers = { ...SECURE, ...PEM_IDENTITY, [TRUSTED]: join(folder, 'client.pem') };
      const zk = await open(secure, readClientConfiguration(configured(strangers).security));
      await until(async () => zk.core.driver.lastEnd !== null);
      await zk.close();
      assert.match(zk.core.driver.lastEnd!, /certificate/);
    });
  });

  it('refuses with one line what there is no option for', async () => {
    const store = 'zookeeper.ssl.keyStore.location';
    const refusals: readonly (readonly [Readonly<Record<string, string>>, RegExp, (string | null)?])[] = [
      [
        { ...SECURE, [store]: '/x/client.jks' },
        /keyStore\.location: a store of type JKS cannot be read here: keytool/,
      ],
      [{ ...SECURE, [store]: '/x/client', 'zookeeper.ssl.keyStore.type': 'BCFKS' }, /type BCFKS/],
      [{ ...SECURE, [store]: '/x/none.pem' }, /none\.pem: cannot be read \(ENOENT/],
      [{ ...SECURE, [TRUSTED]: join(TLS, 'client.p12') }, /PEM only/],
      [{ ...SECURE, 'zookeeper.ssl.crl': 'true' }, /zookeeper\.ssl\.crl: there is no such option here/],
      [{ ...SECURE, 'zookeeper.ssl.ocsp': 'true' }, /zookeeper\.ssl\.ocsp/],
      [{ ...SECURE, 'zookeeper.ssl.ciphersuites': 'TLS_AES_128_GCM_SHA256' }, /names of OpenSSL/],
      [{ ...SECURE, 'zookeeper.ssl.enabledProtocols': 'TLSv1.2,TLSv9' }, /there is no protocol "TLSv9"/],
      [{ 'zookeeper.disableAutoWatchReset': 'true' }, /disableAutoWatchReset/],
      [{ 'zookeeper.request.timeout': 'soon' }, /zookeeper\.request\.timeout: "soon" is no number above 0/],
      [{ 'jute.maxbuffer': '-1' }, /jute\.maxbuffer/],
      [{ 'zookeeper.sasl.clientconfig': 'Nobody' }, /there is no section Nobody/, jaas],
      [{ 'zookeeper.sasl.clientconfig': 'Kerberos' }, /Krb5LoginModule is not served here/, jaas],
    ];
    for (const [values, why, login] of refusals) {
      const { status, stdout, stderr } = await shell(
        '127.0.0.1:1',
        'ls /',
        configured(values, login ?? null),
      );
      assert.deepEqual([status, stdout, stderr.trim().split('\n').length], [2, '', 1], stderr);
      assert.match(stderr, why);
    }
    const { security } = SHELL_DEFAULTS;
    for (const [flags, why] of [
      [{ clientConfiguration: '/x/none' }, /\/x\/none: cannot be read/],
      [{ clientConfiguration: jaas, tls: true }, /two ways to say the same/],
      [{ tlsCert: '/x' }, /belong together/],
    ] as const) {
      const { status, stderr } = await shell('127.0.0.1:1', 'ls /', { security: { ...security, ...flags } });
      assert.equal(status, 2);
      assert.match(stderr, why);
    }
  });

  it('reads JAAS files', () => {
    const text = 'A{x.DigestLoginModule required username="a\\"b" password=plain;};';
    assert.deepEqual(digestLogin(text, 'A'), { username: 'a"b', password: 'plain' });
    assert.match(String(digestLogin('A { x.DigestLoginModule required username=a; };', 'A')), /both needed/);
    assert.match(String(digestLogin('A { "', 'A')), /cannot be read behind character 4/);
    assert.match(String(digestLogin('', 'A')), /no section A/);
  });
});
