import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { readServerConfig, type ServerConfig } from '../../../src/server/config/server-config.ts';
import { parseZooCfg } from '../../../src/server/config/zoo-cfg.ts';

const BASE = 'dataDir=/data\nclientPort=2181\n';

function read(text: string, overrides: Readonly<Record<string, string>> = {}) {
  return readServerConfig({
    file: { name: 'zoo.cfg', lines: parseZooCfg(text, 'zoo.cfg') },
    overrides: Object.entries(overrides).map(([key, value]) => ({ key, value, flag: '--set' })),
  });
}

function configOf(lines: string, overrides: Readonly<Record<string, string>> = {}): ServerConfig {
  return read(BASE + lines, overrides).config;
}

function noticesOf(lines: string): string[] {
  return read(BASE + lines).notices.map((notice) => `${notice.level} ${notice.text}`);
}

describe('ServerConfig', () => {
  it('has the defaults of the reference', () => {
    const { config, notices } = read(BASE);
    assert.deepEqual(notices, []);
    assert.deepEqual(
      { ...config },
      {
        serverId: 1,
        ensemble: null,
        clientPort: 2181,
        clientPortAddress: null,
        clientPortListenBacklog: -1,
        clientTcpKeepAlive: false,
        maxClientCnxns: 60,
        maxCnxns: 0,
        sessionlessTimeoutMs: 10_000,
        tickTimeMs: 3000,
        minSessionTimeoutMs: 6000,
        maxSessionTimeoutMs: 60_000,
        dataDir: '/data',
        dataLogDir: '/data',
        datadirAutocreate: true,
        dbAutocreate: true,
        snapCount: 100_000,
        snapSizeLimitBytes: 4 * 1024 ** 3,
        txnLogSizeLimitBytes: 0,
        preAllocBytes: 64 * 1024 ** 2,
        forceSync: true,
        fsyncWarningMs: 1000,
        flushDelayMs: 0,
        maxWriteQueuePollTimeMs: 0,
        maxBatchSize: 1000,
        snapshotCompression: 'none',
        snapshotTrustEmpty: false,
        digestEnabled: true,
        closeSessionTxnEnabled: true,
        autopurgeSnapRetainCount: 3,
        autopurgePurgeIntervalMs: 0,
        globalOutstandingLimit: 16000,
        reconfigEnabled: false,
        readOnlyMode: false,
        localSessionsEnabled: false,
        localSessionsUpgradingEnabled: false,
        frameBytesMax: 1_048_575,
        juteExtraBytes: 1_048_575,
        enforceQuota: false,
        extendedTypesEnabled: false,
        containerCheckIntervalMs: 60_000,
        containerMaxPerMinute: 10_000,
        containerMaxNeverUsedMs: 0,
        skipAcl: false,
        superDigest: null,
        digestAuthEnabled: true,
        digestAlg: 'sha1',
        fourLetterWordsWhitelist: ['srvr'],
        threadingMode: 'auto',
        ioThreads: 0,
        requestRingBytes: 4 * 1024 ** 2,
        replyRingBytes: 4 * 1024 ** 2,
        proposalRingBytes: 8 * 1024 ** 2,
        snapshotStallMs: 60_000,
        storeBytesMax: 8 * 1024 ** 3,
        watchBytesPerConnectionMax: 128 * 1024 ** 2,
        watchBytesMax: 512 * 1024 ** 2,
        directIo: true,
        acceptMissingRecords: false,
        replyBacklogBytesMax: 1024 ** 2,
        unreadBytesMax: 512 * 1024 ** 2,
        connectionWindowRequests: 1000,
        connectionWindowBytes: 1024 ** 2,
        keepClientsOnLeaderChange: false,
        logLevel: 'info',
      },
    );
  });

  it('is frozen and can be posted to a worker', () => {
    const config = configOf('4lw.commands.whitelist=*');
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.fourLetterWordsWhitelist));
    assert.deepEqual(structuredClone(config), { ...config });
  });

  it('takes flags before the file and the file before defaults', () => {
    assert.equal(configOf('tickTime=2000').tickTimeMs, 2000);
    assert.equal(configOf('tickTime=2000', { tickTime: '500' }).tickTimeMs, 500);
    assert.equal(
      readServerConfig({
        file: null,
        overrides: [
          { key: 'dataDir', value: 'relative', flag: '--data-dir' },
          { key: 'clientPort', value: '0', flag: '--client-port' },
        ],
      }).config.dataDir,
      resolve('relative'),
    );
  });

  it('knows keys by their Java property too', () => {
    assert.equal(configOf('', { 'zookeeper.snapCount': '500' }).snapCount, 500);
    assert.equal(configOf('zookeeper.snapCount=600').snapCount, 600);
    assert.equal(configOf('jute.maxbuffer=0x1fffff').frameBytesMax, 0x1fffff);
    assert.equal(
      configOf('zookeeper.4lw.commands.whitelist=mntr, ruok ,').fourLetterWordsWhitelist.join(),
      'mntr,ruok',
    );
  });

  it('derives what depends on other keys', () => {
    const config = configOf('tickTime=100\nflushDelay=10\njute.maxbuffer=4194304\ndataLogDir=/logs');
    assert.deepEqual([config.minSessionTimeoutMs, config.maxSessionTimeoutMs], [200, 2000]);
    assert.equal(config.maxWriteQueuePollTimeMs, 3);
    assert.equal(config.juteExtraBytes, 4_194_304);
    assert.equal(config.requestRingBytes, 16 * 1024 ** 2);
    assert.equal(config.proposalRingBytes, 32 * 1024 ** 2);
    assert.deepEqual([config.dataDir, config.dataLogDir], ['/data', '/logs']);
  });

  it('reads purge intervals with and without a unit', () => {
    const interval = (text: string): number =>
      configOf(`autopurge.purgeInterval=${text}`).autopurgePurgeIntervalMs;
    assert.deepEqual(
      ['2', '90m', '500ms', '30s', '1d', '1 h'].map(interval),
      [7_200_000, 5_400_000, 500, 30_000, 86_400_000, 3_600_000],
    );
  });

  it('spells algorithms and compression its own way', () => {
    assert.equal(configOf('DigestAuthenticationProvider.digestAlg=SHA-256').digestAlg, 'sha256');
    assert.equal(configOf('snapshot.compression.method=gz').snapshotCompression, 'gz');
    assert.equal(configOf('clientPortAddress=[::1]').clientPortAddress, '::1');
  });

  it('reads lenient switches as Apache does, and says so', () => {
    assert.equal(configOf('digest.enabled=FALSE').digestEnabled, false);
    assert.equal(configOf('digest.enabled=yes').digestEnabled, false);
    assert.match(
      noticesOf('digest.enabled=yes')[0]!,
      /^warn zoo\.cfg line 3: digest\.enabled=yes is neither true/,
    );
    assert.equal(configOf('forceSync=no').forceSync, false);
    assert.equal(configOf('forceSync=false').forceSync, true);
    assert.match(noticesOf('forceSync=false')[0]!, /neither yes nor no: read as yes/);
    assert.equal(configOf('skipACL=yes').skipAcl, true);
    assert.equal(configOf('skipACL=true').skipAcl, false);
  });

  it('raises what is too low', () => {
    assert.equal(configOf('autopurge.snapRetainCount=1').autopurgeSnapRetainCount, 3);
    assert.match(noticesOf('autopurge.snapRetainCount=1')[0]!, /3 are kept$/);
    assert.equal(configOf('snapCount=0').snapCount, 2);
    assert.match(noticesOf('snapCount=0')[0]!, /2 is used$/);
    assert.equal(configOf('jute.maxbuffer=173159500').frameBytesMax, 62_914_560);
    assert.equal(configOf('jute.maxbuffer=173159500').requestRingBytes, 256 * 1024 * 1024);
    assert.equal(noticesOf('jute.maxbuffer=173159500').length, 1);
    assert.match(noticesOf('jute.maxbuffer=173159500')[0]!, /62914560 is used$/);
    assert.deepEqual(noticesOf('jute.maxbuffer=62914560'), []);
  });
});

describe('standalone and ensembles', () => {
  it('takes one server line for standalone, with its client port', () => {
    const { config, notices } = read(
      'dataDir=/data\nserver.1=localhost:2888:3888;2181\nstandaloneEnabled=true',
    );
    assert.equal(config.clientPort, 2181);
    assert.equal(config.clientPortAddress, null);
    assert.ok(notices.some((notice) => notice.text.includes('server.1 alone means standalone')));
    const withHost = read('dataDir=/data\nserver.1=[::1]:2888:3888:participant;[::1]:2181').config;
    assert.equal(withHost.clientPortAddress, '0:0:0:0:0:0:0:1');
    assert.equal(read(`${BASE}server.7=a:2888:3888;9999`).config.clientPort, 2181, 'the key of its own wins');
  });

  it('refuses a malformed line, and an election that nobody holds', () => {
    const shapes = [
      ['server.1=a:1', /server\.1=a:1: allowed: <host>:<quorum port>:<election port>/],
      ['server.1=a:1:2;99999', /server\.1=a:1:2;99999: allowed: <host>/],
      ['electionAlg=0', /only algorithm 3 exists/],
    ] as const;
    for (const [lines, message] of shapes)
      assert.throws(() => read(BASE + lines), { name: 'ConfigFailure', message });
  });
});

describe('notices', () => {
  it('has one line for each key that is unknown, without effect or unsupported', () => {
    assert.deepEqual(noticesOf('initLimit=5\nsecureClientPort=2281\nfoo.bar=1\ndatalogdir=/x'), [
      'warn zoo.cfg line 5: unknown key "foo.bar" is ignored',
      'warn zoo.cfg line 6: unknown key "datalogdir" is ignored; did you mean dataLogDir?',
      'warn zoo.cfg line 4: secureClientPort is not supported: this version has no TLS',
      'info zoo.cfg line 3: initLimit has no effect here: used only in an ensemble',
    ]);
  });

  it('names families of keys', () => {
    const texts = noticesOf(
      'ssl.keyStore.password=hunter2\nadmin.serverPort=1\nauthProvider.1=x\nmetricsProvider.httpPort=1',
    );
    assert.equal(texts.length, 4);
    assert.ok(!texts.join().includes('hunter2'));
  });

  it('tells which of two values counts', () => {
    const { config, notices } = read(`${BASE}tickTime=1000\ntickTime=4000`);
    assert.equal(config.tickTimeMs, 4000);
    assert.deepEqual(
      notices.map((notice) => notice.text),
      ['zoo.cfg line 4: tickTime replaces the value given on zoo.cfg line 3'],
    );
  });
});

describe('refusals', () => {
  /** The lines after BASE, and what is said. */
  const CASES: readonly (readonly [lines: string, message: RegExp])[] = [
    ['tickTime=0', /^zoo\.cfg line 3: tickTime=0: allowed: a whole number from 1 to 2147483647 ms$/],
    ['tickTime=1.5', /tickTime=1\.5: allowed/],
    ['tickTime=', /tickTime=: allowed/],
    ['clientPort=65536', /clientPort=65536: allowed: a whole number from 0 to 65535$/],
    [
      'minSessionTimeout=9\nmaxSessionTimeout=8',
      /line 4: maxSessionTimeout=8: minSessionTimeout \(9 ms\) must not be longer/,
    ],
    ['minSessionTimeout=70000', /line 3: minSessionTimeout=70000: .*maxSessionTimeout \(60000 ms\)/],
    ['initLimit=many', /initLimit=many: allowed/],
    ['quorumListenOnAllIPs=yes', /quorumListenOnAllIPs=yes: allowed: true, false/],
    ['snapshot.compression.method=zip', /allowed: \(empty\), gz, snappy/],
    ['autopurge.purgeInterval=1w', /allowed: a number of hours/],
    ['jute.maxbuffer=12', /allowed: a whole number from 1024/],
    ['ringkeeper.requestRingBytes=4194305', /power of two of at least 4 × jute\.maxbuffer = 4194300/],
    ['ringkeeper.threadingMode=quick', /allowed: auto, shared, pipeline, dedicated$/],
    ['DigestAuthenticationProvider.digestAlg=ROT13', /allowed: SHA1,/],
    ['DigestAuthenticationProvider.superDigest=secret', /superDigest=\*\*\*: allowed: super:/],
    [
      'enforce.auth.enabled=true',
      /cannot turn away clients that did not authenticate; remove the line or set false/,
    ],
  ];
  for (const [lines, message] of CASES) {
    it(lines.replaceAll('\n', ', '), () => {
      assert.throws(() => read(BASE + lines), { name: 'ConfigFailure', exitStatus: 2, message });
    });
  }

  it('needs dataDir and clientPort', () => {
    assert.throws(() => read('clientPort=2181'), { message: /^dataDir is not set: .*--data-dir/ });
    assert.throws(() => read('dataDir=/d'), { message: /^clientPort is not set: .*--client-port/ });
    assert.throws(() => read('dataDir=/d\nclientPortAddress=::1'), {
      message: /clientPortAddress is set but clientPort is not/,
    });
  });

  it('refuses unknown keys on the command line', () => {
    assert.throws(() => read(BASE, { ticktime: '1' }), {
      message: '--set: there is no key "ticktime"; did you mean tickTime?',
    });
  });
});
