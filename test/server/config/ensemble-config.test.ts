/** Ensembles in a zoo.cfg: every form of their lines, and for everything that cannot be meant one clear line. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { readServerConfig } from '../../../src/server/config/server-config.ts';
import { parseZooCfg } from '../../../src/server/config/zoo-cfg.ts';
import { peerSetupOf } from '../../../src/server/ensemble/peer-setup.ts';

const ALONE = 'dataDir=/data\nclientPort=2181\n';
const BASE = `${ALONE}initLimit=10\nsyncLimit=5\n`;
const THREE = 'server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888\n';

type Files = Readonly<Record<string, string>>;

function read(text: string, files: Files = { '/data/myid': '1\n' }) {
  return readServerConfig(
    { file: { name: 'zoo.cfg', lines: parseZooCfg(text, 'zoo.cfg') }, overrides: [] },
    { read: (path) => files[path] ?? null },
  );
}

function ensembleOf(text: string, files?: Files) {
  const { ensemble } = read(text, files).config;
  assert.ok(ensemble !== null);
  return ensemble;
}

function noticesOf(text: string, files?: Files): string[] {
  return read(text, files).notices.map(({ level, text: line }) => `${level} ${line}`);
}

function refuses(text: string, message: RegExp | string, files?: Files): void {
  assert.throws(
    () => read(text, files),
    (error: Error) => {
      assert.equal(error.name, 'ConfigFailure');
      assert.ok(!error.message.includes('\n'), 'one line');
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    },
  );
}

describe('an ensemble', () => {
  it('has the defaults of the reference, and this server the id in myid', () => {
    const { config, notices } = read(BASE + THREE, { '/data/myid': ' 2 \nanything' });
    assert.deepEqual(notices, []);
    assert.equal(config.serverId, 2);
    assert.deepEqual(config.ensemble, {
      sid: 2,
      quorumText:
        'server.1=a:2888:3888:participant\nserver.2=b:2888:3888:participant\nserver.3=c:2888:3888:participant\nversion=0',
      dynamicConfigFile: null,
      nextText: null,
      rewritableFile: null,
      standaloneEnabled: true,
      initLimitTicks: 10,
      syncLimitTicks: 5,
      connectToLearnerMasterLimitTicks: 0,
      leaderServes: true,
      observerReconnectDelayMs: 0,
      observerElectionDelayMs: 200,
      quorumListenOnAllIps: false,
      connectTimeoutMs: 5000,
      greetingTimeoutMs: 15_000,
      electionPortBindAttempts: 3,
      tcpKeepAlive: false,
      multiAddress: false,
      minNotificationIntervalMs: 200,
      maxNotificationIntervalMs: 60_000,
      maxTimeToWaitForEpochMs: -1,
      proposalLogBytes: 16 * 1024 ** 2,
    });
  });

  it('takes every key, by its name or as a Java property', () => {
    const ensemble = ensembleOf(
      `${BASE}${THREE}cnxTimeout=70\nzookeeper.electionPortBindRetry=0\nquorumListenOnAllIPs=true\ntcpKeepAlive=true\n` +
        'quorumCnxnTimeoutMs=900\nmultiAddress.enabled=true\nleaderServes=no\n' +
        'zookeeper.fastleader.minNotificationInterval=10\nfastleader.maxNotificationInterval=20\n' +
        'observer.reconnectDelayMs=1\nobserver.election.DelayMs=2\nleader.maxTimeToWaitForEpoch=3\nconnectToLearnerMasterLimit=4\n' +
        'ringkeeper.proposalLogBytes=65536\n',
    );
    const { sid: _, quorumText, ...rest } = ensemble;
    assert.deepEqual(rest, {
      dynamicConfigFile: null,
      nextText: null,
      rewritableFile: null,
      standaloneEnabled: true,
      initLimitTicks: 10,
      syncLimitTicks: 5,
      connectToLearnerMasterLimitTicks: 4,
      leaderServes: false,
      observerReconnectDelayMs: 1,
      observerElectionDelayMs: 2,
      quorumListenOnAllIps: true,
      connectTimeoutMs: 70,
      greetingTimeoutMs: 900,
      electionPortBindAttempts: 0,
      tcpKeepAlive: true,
      multiAddress: true,
      minNotificationIntervalMs: 10,
      maxNotificationIntervalMs: 20,
      maxTimeToWaitForEpochMs: 3,
      proposalLogBytes: 65_536,
    });
    assert.equal(parseQuorumConfig(quorumText).version, 0);
    const { mesh, readOnlyAfterMs } = peerSetupOf(ensemble, read(BASE + THREE).config);
    assert.equal(readOnlyAfterMs, null);
    assert.deepEqual(mesh.addresses, [{ host: 'a', port: 3888 }]);
  });

  it('is read-only after two seconds without a leader, or after a tick that is longer', () => {
    for (const [tickTime, afterMs] of [
      [500, 2000],
      [3000, 3000],
    ]) {
      const { config } = read(`${BASE}${THREE}tickTime=${tickTime}\nreadonlymode.enabled=true\n`);
      assert.equal(peerSetupOf(config.ensemble!, config).readOnlyAfterMs, afterMs);
    }
    const { notices } = read(`dataDir=/data\nclientPort=1\nreadonlymode.enabled=true\n`);
    assert.match(notices[0]!.text, /no effect here: used only in an ensemble/);
  });

  it('takes every form of a line: roles, several addresses, IPv6, the client address', () => {
    const lines =
      'server.1=[::1]:2888:3888:PARTICIPANT;2181\nserver.2=b:1:2|bb:1:2:participant;b:2182\nserver.3=c:1:2:observer;[::1]:2183\nserver.4=d:1:2\n';
    const { config } = read(`dataDir=/data\ninitLimit=1\nsyncLimit=1\n${lines}`);
    assert.equal(
      config.ensemble!.quorumText,
      'server.1=[0:0:0:0:0:0:0:1]:2888:3888:participant;0.0.0.0:2181\nserver.2=b:1:2|bb:1:2:participant;b:2182\n' +
        'server.3=c:1:2:observer;[0:0:0:0:0:0:0:1]:2183\nserver.4=d:1:2:participant\nversion=0',
    );
    assert.deepEqual([config.clientPort, config.clientPortAddress], [2181, null]);
    const third = read(`dataDir=/data\ninitLimit=1\nsyncLimit=1\n${lines}`, { '/data/myid': '3' }).config;
    assert.deepEqual([third.clientPort, third.clientPortAddress], [2183, '0:0:0:0:0:0:0:1']);
  });

  it('may be hierarchical', () => {
    const { quorumText } = ensembleOf(`${BASE}${THREE}group.1=1:2:3\nweight.1=0\n`);
    assert.match(quorumText, /group\.1=1:2:3\nweight\.1=0\nweight\.2=1\nweight\.3=1\nversion=0$/);
    refuses(`${BASE}${THREE}group.1=1:2\n`, /zoo\.cfg line 5: server 3 is in no group$/);
    refuses(`${BASE}${THREE}group.1=1:2\ngroup.2=2:3\n`, /server 2 is in several groups$/);
    refuses(`${BASE}${THREE}group.1=1:2:x\n`, /group\.1=1:2:x: not server ids$/);
    refuses(`${BASE}${THREE}group.1=1:2:3\nweight.1=heavy\n`, /weight\.1=heavy: not a weight$/);
    refuses(`${BASE}${THREE}group.1=1:2:3:9\n`, /group 1 names server 9, which is no participant$/);
  });

  it('may stand in a dynamic file, whose name holds its version', () => {
    const files = { '/data/myid': '1', '/etc/zoo.dynamic.100000a': `${THREE}` };
    const ensemble = ensembleOf(`${BASE}dynamicConfigFile=/etc/zoo.dynamic.100000a\n`, files);
    assert.equal(ensemble.dynamicConfigFile, '/etc/zoo.dynamic.100000a');
    assert.equal(parseQuorumConfig(ensemble.quorumText).version, 0x100000a);
    assert.equal(
      parseQuorumConfig(
        ensembleOf(`${BASE}dynamicConfigFile=/x/members\n`, { ...files, '/x/members': THREE }).quorumText,
      ).version,
      0,
    );
  });

  it('of one participant is one with standaloneEnabled=false only', () => {
    const one = 'server.7=a:2888:3888;2181\n';
    assert.equal(read(ALONE + one).config.ensemble, null);
    assert.equal(ensembleOf(`${BASE}standaloneEnabled=false\n${one}`, { '/data/myid': '7' }).sid, 7);
    assert.equal(read(`${ALONE}dynamicConfigFile=/d\n`, { '/d': one }).config.ensemble, null);
  });

  it('says how many failures its size survives', () => {
    const four = `${BASE}${THREE}server.4=d:2888:3888\n`;
    assert.deepEqual(noticesOf(four), [
      'warn zoo.cfg line 5: 4 participants survive no more failures than 3: an odd number is better',
    ]);
    const two = `${BASE}server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2:observer\n`;
    assert.deepEqual(noticesOf(two), [
      'warn zoo.cfg line 5: two participants: no failure of a server is survived; three survive one',
    ]);
  });

  it('takes names that do not resolve, and says nothing of them', () => {
    assert.deepEqual(noticesOf(`${BASE}${THREE.replace('=b:', '=not-yet.invalid:')}`), []);
  });

  it('lets the line decide what this server is', () => {
    assert.deepEqual(noticesOf(`${BASE}${THREE}peerType=observer\n`), [
      'warn zoo.cfg line 8: peerType=observer differs from server.1, which counts: participant',
    ]);
    refuses(
      `${BASE}${THREE}peerType=king\n`,
      'zoo.cfg line 8: peerType=king: allowed: participant, observer',
    );
  });

  it('needs no clientPort beside a line that has one, and no other than that', () => {
    const lines = THREE.replace('a:2888:3888', 'a:2888:3888;2181');
    assert.equal(read(BASE + lines).config.clientPort, 2181);
    const withHost = read(BASE + lines.replace(';2181', ';c1:2181')).config;
    assert.deepEqual([withHost.clientPort, withHost.clientPortAddress], [2181, 'c1']);
    refuses(
      BASE.replace('2181', '2182') + lines,
      "zoo.cfg line 2: clientPort=2182: this server's line says 0.0.0.0:2181; remove one of the two",
    );
    refuses(`dataDir=/data\ninitLimit=1\nsyncLimit=1\n${THREE}`, /^clientPort is not set/);
  });
});

describe('one clear line for', () => {
  const cases: readonly (readonly [string, string, RegExp | string, Files?])[] = [
    [
      'a missing myid',
      BASE + THREE,
      '/data/myid is missing: it holds the id of this server, one of 1, 2, 3; for example: echo 1 > /data/myid',
      {},
    ],
    [
      'an empty myid',
      BASE + THREE,
      '/data/myid: "" is no id of a server: a number such as 1',
      { '/data/myid': '' },
    ],
    [
      'a myid that is no number',
      BASE + THREE,
      '/data/myid: "one" is no id of a server: a number such as 1',
      { '/data/myid': 'one\n' },
    ],
    [
      'a myid that is not listed',
      BASE + THREE,
      '/data/myid: this server is 9, which no line server.9= names; there are 1, 2, 3 (zoo.cfg line 5)',
      { '/data/myid': '9' },
    ],
    [
      'an id twice',
      `${BASE}${THREE}server.2=d:2888:3888\n`,
      'zoo.cfg line 8: server.2 stands on zoo.cfg line 6 already, with another address; each server needs an id of its own',
    ],
    [
      'an id twice, spelt differently',
      `${BASE}${THREE}server.02=d:2888:3888\n`,
      'zoo.cfg line 8: server.02 is server.2 of zoo.cfg line 6 again; each server has one line',
    ],
    [
      'an address twice, by two names that are known',
      `${BASE}server.1=localhost:1:2\nserver.2=127.0.0.1:2:3\n`,
      /line 6: 127\.0\.0\.1:2 is the quorum port of server 2 and the election port of server 1/,
    ],
    [
      'a clientPort that is the own quorum port',
      `${BASE.replace('clientPort=2181', 'clientPort=2888')}${THREE}`,
      /clientPort=2888: server\.1 has it as its quorum port; each needs a port of its own$/,
    ],
    [
      'a clientPort that is the own election port',
      `${BASE.replace('clientPort=2181', 'clientPort=3888')}${THREE}`,
      /clientPort=3888: server\.1 has it as its election port/,
    ],
    [
      'an address twice',
      `${BASE}${THREE}server.4=B:2888:3889\n`,
      'zoo.cfg line 8: b:2888 is the quorum port of server 4 and the quorum port of server 2; each needs an address of its own',
    ],
    [
      'an election port that is a quorum port',
      `${BASE}${THREE}server.4=b:3999:2888\n`,
      /b:2888 is the election port of server 4 and the quorum port of server 2/,
    ],
    [
      'a client port that is a quorum port',
      `${BASE}server.1=a:1:2;2\nserver.2=b:1:2\n`,
      /a:2 is the client port of server 1 and the election port of server 1/,
    ],
    [
      'quorum and election port alike',
      `${BASE}${THREE}server.4=d:2888:2888\n`,
      /line 8: server\.4=d:2888:2888: quorum port and election port must differ$/,
    ],
    [
      'no election port',
      `${BASE}${THREE}server.4=d:2888\n`,
      /line 8: server\.4=d:2888: allowed: <host>:<quorum port>:<election port>/,
    ],
    [
      'a port that is none',
      `${BASE}${THREE}server.4=d:2888:70000\n`,
      /line 8: server\.4=d:2888:70000: allowed/,
    ],
    [
      'a role that is none',
      `${BASE}${THREE}server.4=d:1:2:king\n`,
      /line 8: server\.4=d:1:2:king: there is no role "king"$/,
    ],
    [
      'two roles of one server',
      `${BASE}${THREE}server.4=d:1:2:observer|e:1:2:participant\n`,
      /all addresses of a server have one role$/,
    ],
    ['a secure client port', `${BASE}${THREE}server.4=d:1:2;1;2\n`, /no secure client port$/],
    [
      'no initLimit',
      `${ALONE}syncLimit=5\n${THREE}`,
      'initLimit is not set: an ensemble needs it: a number of ticks, such as initLimit=10',
    ],
    ['initLimit 0', `${ALONE}initLimit=0\nsyncLimit=5\n${THREE}`, /initLimit=0: an ensemble needs it/],
    ['no syncLimit', `${ALONE}initLimit=5\n${THREE}`, /^syncLimit is not set: an ensemble needs it/],
    [
      'an initLimit that is no number',
      `${ALONE}initLimit=ten\n${THREE}`,
      /initLimit=ten: allowed: a whole number/,
    ],
    ['another election algorithm', `${BASE}${THREE}electionAlg=1\n`, /only algorithm 3 exists/],
    [
      'observers without a participant',
      `${BASE}server.1=a:1:2:observer\n`,
      'zoo.cfg line 5: there is an observer and no participant to observe; an ensemble needs one',
    ],
    [
      'one participant and observers',
      `${BASE}server.1=a:1:2\nserver.2=b:1:2:observer\n`,
      'zoo.cfg line 5: one participant with an observer is no server alone: set standaloneEnabled=false, or remove the observers',
    ],
    [
      'standaloneEnabled=false without a member',
      `${BASE}standaloneEnabled=false\n`,
      /an ensemble needs at least one line server/,
    ],
    [
      'members in both files',
      `${BASE}${THREE}dynamicConfigFile=/d\n`,
      'zoo.cfg line 5: server.1 belongs into /d, which dynamicConfigFile names: members stand in one of the two',
      { '/d': THREE },
    ],
    [
      'a dynamic file that is not there',
      `${BASE}dynamicConfigFile=/d\n`,
      'dynamicConfigFile=/d: there is no such file; it holds the lines server.<n>=…',
    ],
    ['an empty dynamic file', `${BASE}dynamicConfigFile=/d\n`, /no line server/, { '/d': '# nothing\n' }],
    [
      'a version in a dynamic file',
      `${BASE}dynamicConfigFile=/d\n`,
      /^\/d line 4: the version stands in the name of the file/,
      { '/d': `${THREE}version=1` },
    ],
    [
      'another key in a dynamic file',
      `${BASE}dynamicConfigFile=/d\n`,
      /^\/d line 4: tickTime: only server/,
      { '/d': `${THREE}tickTime=1` },
    ],
    [
      'an id twice in a dynamic file',
      `${BASE}dynamicConfigFile=/d\n`,
      /^\/d line 4: server\.1 stands on \/d line 1 already/,
      { '/d': `${THREE}server.1=x:1:2` },
    ],
    [
      'SASL between servers',
      `${BASE}${THREE}quorum.auth.enableSasl=true\n`,
      'zoo.cfg line 8: quorum.auth.enableSasl=true: this version has no SASL between servers; set it to false on all of them',
    ],
    [
      'TLS between servers',
      `${BASE}${THREE}sslQuorum=true\n`,
      /sslQuorum=true: this version has no TLS between servers/,
    ],
    [
      'notification intervals the wrong way round',
      `${BASE}${THREE}fastleader.minNotificationInterval=70000\n`,
      /at most fastleader\.maxNotificationInterval, which is 60000 ms$/,
    ],
    [
      'an unknown word where true or false stands',
      `${BASE}${THREE}quorumListenOnAllIPs=yes\n`,
      /quorumListenOnAllIPs=yes: allowed: true, false$/,
    ],
  ];
  for (const [name, text, message, files] of cases) it(name, () => refuses(text, message, files));
});

describe('a server alone', () => {
  it('says of each key for ensembles that it has no effect, and does not look for myid', () => {
    assert.deepEqual(noticesOf(`${BASE}cnxTimeout=7\nlocalSessionsEnabled=true\n`, {}), [
      'info zoo.cfg line 3: initLimit has no effect here: used only in an ensemble',
      'info zoo.cfg line 4: syncLimit has no effect here: used only in an ensemble',
      'info zoo.cfg line 5: cnxTimeout has no effect here: used only in an ensemble',
      'info zoo.cfg line 6: localSessionsEnabled has no effect here: used only in an ensemble',
    ]);
  });
});
