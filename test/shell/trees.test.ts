/**
 * Commands that go through trees, on both servers: what they print, what a dump keeps and a restore brings back, what a
 * comparison sees on one cluster, on two and against a file; what is refused before anything is touched.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ApacheServer } from '../support/apache.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import type { TestServer } from '../support/server.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { until } from '../support/until.ts';
import { type ShellRun, shell, shellJson } from './support/run-shell.ts';

const EXTENDED = { extendedTypesEnabled: 'true', 'znode.container.checkIntervalMs': '100' };

for (const [name, make, missing] of [
  ['ringkeeper', () => new RingkeeperServer({ config: EXTENDED }), needRingkeeper()],
  ['Apache 3.8.0', () => new ApacheServer({ config: EXTENDED }), need('java', 'zookeeper')],
] as const) {
  describe(`trees on ${name}`, { skip: missing }, () => {
    let server: TestServer;
    const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-trees-'));
    const on = (commands: string): Promise<ShellRun> => shell(server.address, commands);
    const shown = async (commands: string): Promise<string> => {
      const run = await on(commands);
      assert.deepEqual([run.status, run.stderr], [0, '']);
      return run.stdout;
    };

    before(async () => {
      server = make();
      await server.start();
      await shown(
        [
          'create /t root',
          'create /t/a "first line"',
          'create /t/a/deep -b AP8=',
          'create -c /t/box',
          'create -t 3600000 /t/timed x',
          'create /t/acl secret world:anyone:cdrwa,ip:10.0.0.1:r',
          'create /t/none',
          'create /t/empty ""',
        ].join('\n'),
      );
    });

    after(async () => {
      await server?.dispose();
      rmSync(directory, { recursive: true, force: true });
    });

    it('draws a tree with what its znodes are', async () => {
      assert.equal(
        await shown('tree /t'),
        [
          '/t',
          '├── a',
          '│   └── deep',
          '├── acl',
          '├── box',
          '├── empty',
          '├── none',
          '└── timed',
          '',
          '8 znodes\n',
        ].join('\n'),
      );
      assert.equal(await shown('tree -L 0 -s /t'), '/t (4 B, 6 znodes below)\n\n1 znode\n');
    });

    it('counts and sums', async () => {
      const [first, ...rest] = await shellJson(server.address, 'du /t');
      assert.deepEqual(first, { path: '/t/a', znodes: 2, bytes: 12 });
      assert.deepEqual(rest.at(-1), { path: '/t', znodes: 8, bytes: 23 });
    });

    it('finds by name, kind, size, leaf', async () => {
      assert.equal(await shown('find /t -name d*'), '/t/a/deep\n');
      assert.equal(await shown('find /t -name /t/*'), '/t/a\n/t/acl\n/t/box\n/t/empty\n/t/none\n/t/timed\n');
      assert.equal(await shown('find /t -kind ephemeral'), '');
      assert.equal(await shown('find /t -min 6 -max 10'), '/t/a\n/t/acl\n');
      assert.equal(await shown('find /t -leaf -L 1 -name a*'), '/t/acl\n');
      const run = await on('find /t -owner nobody');
      assert.equal(run.status, 2);
    });

    it('greps text and bytes', async () => {
      assert.equal(await shown('grep LINE -i /t'), '/t/a:first line\n');
      assert.equal(await shown('grep -l "^secret$" /t'), '/t/acl\n');
      assert.equal(await shown('grep -F "\u00ff" /t'), '/t/a/deep: bytes match\n');
      assert.equal((await on('grep ( /t')).status, 2);
    });

    it('a dump is restored as it was: data, ACLs, kinds; ephemerals are left out', async () => {
      const file = join(directory, 'whole.jsonl');
      const run = await on(`create -e /t/mine now\ndump /t ${file}\n`);
      assert.match(run.stdout, /whole\.jsonl: 9 znodes of \/t, 26 bytes of data, of one moment/);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const restored = await shown(`restore ${file} /back`);
      assert.equal(restored, '8 znodes created, 1 left out\n');
      assert.equal(await shown('diff -acl /t /back'), '8 the same, 0 different, 0 only left, 0 only right\n');
      // And against the file itself, whose ephemeral is not there any more.
      const compared = await on(`diff -acl file:${file} /t`);
      assert.deepEqual([compared.status, compared.stdout.split('\n')[0]], [1, '- /mine']);
    });

    it('says what differs, on one cluster and on another one', async () => {
      await shown('create /l x\ncreate /l/same 1\ncreate /l/gone 1\ncreate /l/other 1');
      await shown('create /r x\ncreate /r/same 1\ncreate /r/new 1\ncreate /r/other 2');
      const expected = [
        '- /gone',
        '+ /new',
        '~ /other data "1" → "2"',
        '2 the same, 1 different, 1 only left, 1 only right\n',
      ].join('\n');
      const local = await on('diff /l /r');
      assert.deepEqual([local.status, local.stdout, local.stderr], [1, expected, '']);
      const other = new RingkeeperServer();
      try {
        await other.start();
        await shell(other.address, 'create /r x\ncreate /r/same 1\ncreate /r/new 1\ncreate /r/other 2');
        const between = await on(`diff /l ${other.address}/r`);
        assert.deepEqual([between.status, between.stdout], [1, expected]);
        const whole = await on(`diff -q ${other.address}/r /r`);
        assert.deepEqual([whole.status, whole.stdout.slice(0, 10)], [0, '4 the same']);
      } finally {
        await other.dispose();
      }
    });

    it('a restore refuses what exists, tells what it would do, overwrites only when told', async () => {
      const file = join(directory, 'small.jsonl');
      await shown(`create /s v1\ncreate /s/k v1\ndump /s ${file}\nset /s/k v2`);
      const refused = await on(`restore ${file} /s`);
      assert.equal(refused.status, 1);
      assert.match(refused.stderr, /restore: 2 znodes of .* exist already \(\/s, \/s\/k\); --overwrite/);
      assert.equal(await shown('get /s/k'), 'v2\n');
      assert.match(
        await shown(`restore -n --overwrite ${file} /s`),
        /overwrite \/s\/k[\s\S]*nothing was changed/,
      );
      assert.equal(await shown('get /s/k'), 'v2\n');
      assert.match(
        await shown(`restore --overwrite ${file} /s\nget /s/k`),
        /0 znodes created, 2 overwritten\nv1\n/,
      );
      const orphan = await on(`restore ${file} /no/where`);
      assert.deepEqual([orphan.status, orphan.stderr], [1, 'Node does not exist: /no (-p creates it)\n']);
      assert.match(await shown(`restore -p ${file} /no/where\nget /no/where/k`), /v1\n$/);
      const exists = await on(`dump /s ${file}`);
      assert.equal(exists.status, 2);
    });

    it('a restore makes containers and TTLs of a file that knows of them', async () => {
      const file = join(directory, 'kinds.jsonl');
      const lines = [
        '{"format":"ringkeeper-dump","version":1,"root":"/","time":"","withAcl":true}',
        '{"path":"/","data":null,"kind":"container"}',
        '{"path":"/short","data":"x","kind":"ttl","ttlMs":1,"later":"field"}',
        '{"end":true,"znodes":2}',
      ];
      writeFileSync(file, lines.join('\n'));
      await shown(`restore ${file} /kinds`);
      // Both are collected: the one by its age, the other once its last child is gone.
      await until(async () => (await on('stat /kinds')).status === 1);
      writeFileSync(file, lines.join('\n').replace('"container"', '"odd"'));
      assert.equal((await on(`restore ${file} /kinds`)).status, 1);
      writeFileSync(file, lines.join('\n').replace('"kind":"container"', '"ttlMs":5'));
      assert.match((await on(`restore ${file} /kinds`)).stderr, /ttlMs without its kind/);
    });

    it('a damaged dump touches nothing', async () => {
      const good = join(directory, 'good.jsonl');
      await shown(`create /d x\ncreate /d/1 x\ncreate /d/2 x\ndump /d ${good}`);
      const lines = readFileSync(good, 'utf8').trimEnd().split('\n');
      const [header = '', root = '', one = '', two = '', end = ''] = lines;
      for (const [what, damaged, complaint] of [
        ['cut', [header, root, one], /is not whole: its last line, the end, is missing/],
        ['cut inside a line', [header, root, one.slice(0, 9)], /:3: this line is no JSON object/],
        ['a znode lost', [header, root, two, end], /counts 3 znodes, but 2 stand before it/],
        ['out of order', [header, root, two, one, end], /:4: .*not in order, or twice/],
        ['twice', [header, root, one, one, end], /:4: .*not in order, or twice/],
        ['behind the end', [header, root, one, two, end, one], /:6: this line stands behind the end/],
        ['another format', ['{"format":"zip"}', root, end], /:1: this line is no header of a dump/],
        [
          'a later version',
          [header.replace('"version":1', '"version":2'), root, end],
          /says version 2; .* reads version 1/,
        ],
        ['a relative path', [header, root, one.replace('/1', '/../1'), end], /:3: this line has a path that/],
        [
          'bad base64',
          [header, root, '{"path":"/1","data":"?","encoding":"base64"}', end],
          /:3: .*no base64/,
        ],
        ['an unknown kind', [header, root, '{"path":"/1","kind":"odd"}', end], /:3: .*unknown kind "odd"/],
        ['a TTL of nothing', [header, root, '{"path":"/1","kind":"ttl"}', end], /:3: .*ttlMs/],
        ['a wrong ACL', [header, root, '{"path":"/1","acl":[{}]}', end], /:3: .*acl entry/],
        ['nothing', [], /is empty, no dump/],
      ] as const) {
        const file = join(directory, 'damaged.jsonl');
        writeFileSync(file, damaged.join('\n'));
        const run = await on(`restore -p ${file} /damaged/deep`);
        assert.equal(run.status, 1, what);
        assert.match(run.stderr, complaint, what);
        assert.equal((await on('stat /damaged')).status, 1, what);
      }
    });

    it('a failed dump leaves no file', async () => {
      const file = join(directory, 'never.jsonl');
      assert.equal((await on(`dump /nowhere ${file}`)).status, 1);
      assert.ok(!existsSync(file));
      // Without a file: lines on stdout, which restore reads.
      const toStdout = await shown('dump /t/a');
      assert.deepEqual(
        toStdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line).path ?? 'other'),
        ['other', '/', '/deep', 'other'],
      );
    });

    it('never deletes a tree without a word of how much', async () => {
      await shown('create /del\ncreate /del/a\ncreate /del/a/b');
      const asked = await on('deleteall /del');
      assert.deepEqual(
        [asked.status, asked.stderr],
        [2, 'deleteall: this would delete /del and 2 znodes below it; -y says that it is meant\n'],
      );
      assert.equal((await on('stat /del')).status, 0);
      const told = await on('deleteall -y /del');
      assert.deepEqual([told.status, told.stderr], [0, 'deleteall: /del and 2 znodes below it\n']);
      assert.equal((await on('stat /del')).status, 1);
    });

    it('changes ACLs of everything below, and tells where it could not', async () => {
      await shown('create /acls\ncreate /acls/a\ncreate /acls/b x world:anyone:cdrw');
      const run = await on('setAcl -R /acls world:anyone:cdrwa,ip:10.0.0.1:r');
      assert.equal(run.status, 1);
      assert.match(
        run.stderr,
        /Insufficient permission : \/acls\/b\nthe ACL of 1 znodes was not changed, of 2 it was/,
      );
      assert.match(await shown('getAcl /acls/a'), /'ip,'10\.0\.0\.1/);
    });

    it('watches a tree and follows a value until a count is reached', async () => {
      await shown('create /w 0');
      const seen = shellJson(server.address, 'watch -R -d -n 3 /w');
      const tailed = shellJson(server.address, 'tail -n 2 /w');
      // Both are set once their first results could be there: change until they end.
      let ended = 0;
      const changing = (async () => {
        for (let i = 1; ended < 2; i++) await shown(`set /w ${i}`);
      })();
      const [events, values] = await Promise.all([
        seen.finally(() => void ended++),
        tailed.finally(() => void ended++),
      ]);
      await changing;
      assert.deepEqual(
        events.map(({ event, path }) => [event, path]),
        Array.from({ length: 3 }, () => ['changed', '/w']),
      );
      assert.ok(Number(values[1].data) > Number(values[0].data));
    });
  });
}
