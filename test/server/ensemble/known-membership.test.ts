/** KnownMembership, MembershipFiles and ToldMembership: what a server goes by, and what a restart finds of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageFailure } from '../../../src/base/failure.ts';
import { parseQuorumConfig, type QuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { readServerConfig } from '../../../src/server/config/server-config.ts';
import { parseZooCfg } from '../../../src/server/config/zoo-cfg.ts';
import { KnownMembership } from '../../../src/server/ensemble/known-membership.ts';
import { MembershipFiles } from '../../../src/server/ensemble/membership-files.ts';
import { MembershipGuard } from '../../../src/server/ensemble/membership-guard.ts';
import { ToldMembership } from '../../../src/server/ensemble/told-membership.ts';
import type { Log } from '../../../src/server/logging/logging.ts';
import { readWhole, saveWhole } from '../../../src/storage/whole-file.ts';
import { MemoryDisk } from '../../storage/support/memory-disk.ts';

const DIRS = { snapshotDirectory: '/d', logDirectory: '/d', initializeMarker: '/d/initialize' };
const LINES = ['server.1=a:1:2:participant', 'server.2=b:1:2:participant', 'server.3=c:1:2:participant'];
const OTHER_LINES = [
  '# of this server',
  'dataDir=/data',
  'initLimit=5',
  'syncLimit=5',
  'clientPort=77',
  'reconfigEnabled=true',
];
const FILE = [...OTHER_LINES, ...LINES, '# the end', 'tickTime = 500'].join('\n');
const log = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} } as unknown as Log;

const config = (lines: readonly string[], version = 0): QuorumConfig =>
  parseQuorumConfig([...lines, `version=${version.toString(16)}`].join('\n'));

/** Server 1 and its disk, on which its configuration file stands. */
function server(file = FILE) {
  const disk = new MemoryDisk();
  for (const directory of ['/etc', DIRS.snapshotDirectory]) disk.makeDirectory(directory);
  saveWhole(disk, '/etc', 'zoo.cfg', file);
  const read = (path: string): string | null => {
    if (path === '/data/myid') return '1';
    const bytes = readWhole(disk, path);
    return bytes === null ? null : Buffer.from(bytes).toString('latin1');
  };
  const reading = () =>
    readServerConfig(
      {
        file: { name: '/etc/zoo.cfg', lines: parseZooCfg(read('/etc/zoo.cfg')!, 'zoo.cfg') },
        overrides: [],
      },
      { read },
    ).config;
  /** As it starts with what stands there. */
  const start = (reconfigEnabled = true): KnownMembership => {
    const { quorumText, nextText, rewritableFile } = reading().ensemble!;
    const committed = parseQuorumConfig(quorumText);
    return new KnownMembership({
      committed,
      lastSeen: nextText === null ? committed : parseQuorumConfig(nextText),
      reconfigEnabled,
      files: rewritableFile === null ? null : new MembershipFiles(1, rewritableFile, disk),
      guard: new MembershipGuard(1, committed, disk, DIRS, log),
      log,
    });
  };
  return { disk, read, reading, start };
}

const versions = ({ committed, lastSeen }: KnownMembership): number[] => [
  committed.version,
  lastSeen.version,
];

const [two, four] = [LINES.slice(0, 2), [...LINES, 'server.4=d:1:2:observer;d:2184']];

describe('KnownMembership', () => {
  it('finds after a restart what was proposed, then what is in force', () => {
    const { start, read } = server();
    assert.deepEqual(versions(start()), [0, 0]);
    const known = start();
    known.onProposed(config(two, 9));
    assert.deepEqual(versions(start()), [0, 9]);
    assert.equal(read('/etc/zoo.cfg.dynamic.next'), `${two.join('\n')}\nversion=9`);
    assert.equal(read('/etc/zoo.cfg'), FILE);
    known.onInForce(config(two, 9));
    assert.deepEqual(versions(start()), [9, 9]);
    assert.equal(start().committed.text, config(two, 9).text);
    assert.equal(start().hasVote, true);
    known.onInForce(config(LINES, 5));
    assert.deepEqual(versions(known), [9, 9], 'an older one is no news');
    known.onProposed(config(four, 0x1f));
    known.onInForce(config(four, 0x1f));
    assert.deepEqual(versions(start()), [0x1f, 0x1f]);
  });

  it('writes the files of Apache: a file per version, and a configuration file that keeps everything else', () => {
    const { start, read } = server();
    const known = start();
    known.onProposed(config(four, 0x1f));
    known.onInForce(config(four, 0x1f));
    const rest = [...OTHER_LINES, '# the end', 'tickTime = 500'].join('\n');
    assert.equal(read('/etc/zoo.cfg'), `${rest}\ndynamicConfigFile=/etc/zoo.cfg.dynamic.1f\n`);
    assert.equal(read('/etc/zoo.cfg.dynamic.1f'), four.join('\n'));
    assert.equal(read('/etc/zoo.cfg.bak'), FILE);
    assert.equal(read('/etc/zoo.cfg.dynamic.next'), null);
    known.onInForce(config(two, 0x20));
    assert.equal(read('/etc/zoo.cfg'), `${rest}\ndynamicConfigFile=/etc/zoo.cfg.dynamic.20\n`);
    assert.equal(read('/etc/zoo.cfg.bak'), FILE, 'of the members that stood in it');
  });

  it("takes this server's client port out of the file when its line says it", () => {
    const { start, read, reading } = server();
    start().onInForce(config([`${LINES[0]};127.0.0.1:99`, ...LINES.slice(1)], 7));
    assert.doesNotMatch(read('/etc/zoo.cfg')!, /clientPort/);
    assert.deepEqual([reading().clientPort, reading().clientPortAddress], [99, '127.0.0.1']);
  });

  it('forgets a proposal that a leader of a quorum does not know, and keeps one that is its', () => {
    const { start } = server();
    const known = start();
    known.onProposed(config(two, 9));
    known.onLeaders(config(LINES, 5));
    assert.deepEqual(versions(known), [0, 5]);
    assert.deepEqual(versions(start()), [0, 5]);
    known.onInForce(config(LINES, 5));
    known.onProposed(config(two, 12));
    known.onLeaders(config(LINES, 5));
    assert.deepEqual(versions(known), [5, 5]);
    assert.deepEqual(versions(start()), [5, 5]);
    known.onProposed(config(two, 13));
    known.onLeaders(config(two, 13));
    assert.deepEqual(versions(start()), [5, 13]);
  });

  it('has no vote after a restart when its files cannot be written, and votes once they can', () => {
    const { start, disk } = server();
    const known = start();
    const { rename } = disk;
    disk.rename = (from, to) => {
      if (to.startsWith('/etc')) throw new StorageFailure(`cannot rename ${from}: read-only file system`);
      rename.call(disk, from, to);
    };
    known.onProposed(config(two, 9));
    assert.equal(known.hasVote, false);
    known.onInForce(config(two, 9));
    assert.deepEqual(versions(known), [9, 9]);
    assert.equal(start().hasVote, false);
    disk.rename = rename;
    assert.deepEqual([start().hasVote, ...versions(start())], [true, 9, 9], 'it writes what it has heard of');
  });

  it('takes over what it has heard of while nothing could be reconfigured', () => {
    const { start } = server();
    start(false).onInForce(config(two, 9));
    assert.deepEqual([start(false).hasVote, ...versions(start(false))], [false, 0, 0]);
    assert.deepEqual([start().hasVote, ...versions(start())], [true, 9, 9]);
  });

  it('does not begin with a proposal that cannot be read', () => {
    const { disk, reading } = server();
    saveWhole(disk, '/etc', 'zoo.cfg.dynamic.next', 'server.1=nonsense\nversion=9');
    assert.throws(() => reading(), /zoo\.cfg\.dynamic\.next: .*nonsense/);
  });
});

describe('ToldMembership', () => {
  const told = (text: string, reconfigEnabled: boolean, role: 'following' | 'observing' = 'following') => {
    const known = server().start(reconfigEnabled);
    const heard: number[][] = [];
    const configured = (committed: QuorumConfig, lastSeen: QuorumConfig): void =>
      void heard.push([committed.version, lastSeen.version]);
    const membership = new ToldMembership(known, 1, { role, leader: 3 }, { configured });
    const bytes = Buffer.from(text);
    return { known, membership, heard, fault: membership.onNewLeader(bytes, 0, bytes.length) };
  };

  it('takes over what NEWLEADER says: as proposed at once, in force with UPTODATE', () => {
    const { known, membership, heard, fault } = told(config(four, 9).text, true);
    assert.equal(fault, null);
    assert.deepEqual(versions(known), [0, 9]);
    assert.equal(membership.onUpToDate(), null);
    assert.deepEqual(versions(known), [9, 9]);
    assert.deepEqual(heard, [
      [0, 9],
      [9, 9],
    ]);
  });

  it('takes the vote where this server may not be reconfigured', () => {
    const { known, membership } = told(config(two, 9).text, false);
    assert.equal(known.hasVote, false, 'before it is acknowledged');
    assert.equal(membership.onUpToDate(), null);
    assert.deepEqual([known.hasVote, ...versions(known)], [false, 0, 0]);
  });

  it('parts with a leader that is none any more, and with its own role', () => {
    assert.equal(told(config(two, 9).text, true).membership.onUpToDate()?.designated, null);
    const observer = ['server.1=a:1:2:observer', ...LINES.slice(1)];
    assert.equal(told(config(observer, 9).text, true).membership.onUpToDate()?.designated, 3);
    assert.equal(told(config(LINES, 9).text, true, 'observing').membership.onUpToDate()?.designated, 3);
  });

  it("does not follow a leader whose members cannot be read, unless they are its own file's", () => {
    assert.match(told('server.1=x\nversion=9', false).fault ?? '', /cannot be read/);
    assert.match(told('server.1=x\nversion=0', true).fault ?? '', /cannot be read/);
    assert.equal(told('server.1=x\nversion=0', false).fault, null);
  });
});
