/** What the servers of an ensemble are told, and a directory that is taken up again. Nothing is started here. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  type EnsembleShape,
  openEnsembleDirectory,
  writeMemberFiles,
} from '../../../bench/target/ensemble-directory.ts';
import { type MemberPlan, memberConfig, membersOf } from '../../../bench/target/ensemble-plan.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { readServerConfig } from '../../../src/server/config/server-config.ts';
import { readZooCfg } from '../../../src/server/config/zoo-cfg.ts';

const root = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;
const fresh = (): string => join(root, `ensemble-${++count}`);

const THREE: EnsembleShape = {
  voters: ['ringkeeper', 'apache', 'ringkeeper'],
  observers: [],
  clientPort: null,
};

function plans(voters: EnsembleShape['voters'], observers: EnsembleShape['voters'] = []): MemberPlan[] {
  const ports = [...voters, ...observers].map((_, at) => ({
    clientPort: 2181 + at,
    quorumPort: 2888 + at,
    electionPort: 3888 + at,
  }));
  return membersOf(voters, observers, ports);
}

function keys(text: string): Record<string, string> {
  const lines = text.trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
}

describe('the configuration of a member', () => {
  it('names all servers, with their clients, and its own role', () => {
    const members = plans(['ringkeeper', 'apache'], ['ringkeeper']);
    const text = keys(memberConfig(members[2]!, members, '/d', { tickTime: '500' }));
    assert.equal(text['server.1'], '127.0.0.1:2888:3888:participant;127.0.0.1:2181');
    assert.equal(text['server.3'], '127.0.0.1:2890:3890:observer;127.0.0.1:2183');
    assert.deepEqual([text['peerType'], text['tickTime'], text['dataDir']], ['observer', '500', '/d']);
    assert.ok(!('clientPort' in text), 'the line says it');
  });

  it('gives Apache no key that only its command line takes, and no port for its admin', () => {
    const members = plans(['apache', 'ringkeeper', 'ringkeeper']);
    const settings = { 'jute.maxbuffer': '2000000', snapCount: '500' };
    const apache = keys(memberConfig(members[0]!, members, '/d', settings));
    assert.deepEqual([apache['jute.maxbuffer'], apache['snapCount']], [undefined, '500']);
    assert.equal(apache['admin.enableServer'], 'false');
    assert.equal(keys(memberConfig(members[1]!, members, '/d', settings))['jute.maxbuffer'], '2000000');
  });

  it('of a server alone is that of a server alone', () => {
    const members = plans(['apache']);
    const text = keys(memberConfig(members[0]!, members, '/d', {}));
    assert.deepEqual([text['clientPort'], text['server.1']], ['2181', undefined]);
  });

  for (const { voters, observers } of [
    { voters: 1, observers: 0 },
    { voters: 1, observers: 2 },
    { voters: 5, observers: 1 },
  ]) {
    it(`of each of ${voters} + ${observers} is read by our server without a warning but for small ensembles`, () => {
      const kinds = (n: number) => Array<'ringkeeper'>(n).fill('ringkeeper');
      const members = plans(kinds(voters), kinds(observers));
      for (const member of members) {
        const name = writeMemberFiles(fresh(), member, members, {});
        const { config, notices } = readServerConfig({
          file: { name, lines: readZooCfg(name) },
          overrides: [],
        });
        assert.equal(config.clientPort, member.clientPort);
        assert.equal(config.ensemble?.sid, members.length === 1 ? undefined : member.sid);
        const warnings = notices.filter(({ level, text }) => level === 'warn' && !/survive/.test(text));
        assert.deepEqual(warnings, []);
      }
    });
  }
});

describe('the directory of an ensemble', () => {
  it('is taken up again: the same servers at the same ports, of whatever kind', async () => {
    const directory = fresh();
    const first = await openEnsembleDirectory(directory, THREE);
    assert.equal(new Set(first.flatMap((m) => [m.clientPort, m.quorumPort, m.electionPort])).size, 9);
    const again = await openEnsembleDirectory(directory, {
      ...THREE,
      voters: ['apache', 'apache', 'apache'],
    });
    assert.deepEqual(
      again,
      first.map((member) => ({ ...member, kind: 'apache' })),
    );
  });

  it('moves the client ports where they were asked for, and stays there', async () => {
    const directory = fresh();
    await openEnsembleDirectory(directory, THREE);
    const moved = await openEnsembleDirectory(directory, { ...THREE, clientPort: 40_001 });
    assert.deepEqual(
      moved.map(({ clientPort }) => clientPort),
      [40_001, 40_002, 40_003],
    );
    assert.deepEqual(await openEnsembleDirectory(directory, THREE), moved);
  });

  it('refuses another size, what is not its own, and ports that are not there, and changes nothing', async () => {
    const directory = fresh();
    const members = await openEnsembleDirectory(directory, { ...THREE, observers: ['apache'] });
    const before = readFileSync(join(directory, 'ensemble.json'), 'utf8');
    const foreign = fresh();
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'diary'), '');
    const torn = fresh();
    mkdirSync(torn);
    writeFileSync(join(torn, 'ensemble.json'), '{"voters": 3');
    const quorumPort = members[1]!.quorumPort;
    const four: EnsembleShape = { ...THREE, observers: ['apache'] };
    const cases: [string, EnsembleShape, RegExp][] = [
      [directory, THREE, /holds an ensemble of another size; give --size 3 --observers 1,/],
      [foreign, THREE, /holds diary, and no ensemble that this command has made/],
      [torn, THREE, /ensemble\.json: not what ringkeeper ensemble has written/],
      [
        directory,
        { ...four, clientPort: 65_533 },
        /^--client-port 65533: the last server would be at 65536$/,
      ],
      [directory, { ...four, clientPort: quorumPort }, /the servers talk to each other at ports between/],
      [join(foreign, 'diary', 'x'), THREE, /^cannot make .*x: /],
    ];
    for (const [at, shape, says] of cases) {
      await assert.rejects(openEnsembleDirectory(at, shape), (error: Error) => {
        assert.ok(error instanceof ConfigFailure, error.message);
        assert.match(error.message, says);
        return !error.message.includes('\n');
      });
    }
    assert.equal(readFileSync(join(directory, 'ensemble.json'), 'utf8'), before);
  });
});
