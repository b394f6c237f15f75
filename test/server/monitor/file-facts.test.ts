/** What words say about files: looked up elsewhere, in time or not at all, and a failure is a figure's own. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  createFileFacts,
  FILE_WAIT_MS,
  type FileFigures,
  FileSurvey,
  figureText,
  SharedFileFacts,
} from '../../../src/server/monitor/file-facts.ts';
import { surveyFiles } from '../../../src/server/monitor/file-survey.ts';

const SOURCE = join(import.meta.dirname, '..', '..', '..', 'src', 'server', 'monitor');

function figures(dataDirBytes: number): FileFigures {
  return { dataDirBytes, dataLogDirBytes: 2, openFiles: 3, openFilesMax: 4 };
}

/** Both ends, and surveys that the test answers. */
function pair() {
  const buffer = createFileFacts();
  const looks: ((figures: FileFigures) => void)[] = [];
  let wakes = 0;
  const survey = new FileSurvey(
    buffer,
    () => new Promise((resolve) => looks.push(resolve)),
    () => {
      wakes++;
    },
  );
  const time = { nowMs: 0 };
  const facts = new SharedFileFacts(
    buffer,
    () => survey.run(),
    () => time.nowMs,
  );
  return { facts, looks, time, wakes: () => wakes };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('facts about files', () => {
  test('who asks while a survey runs gets the next one, and all who ask meanwhile share it', async () => {
    const { facts, looks, wakes } = pair();
    facts.ask();
    const first = facts.answered();
    facts.ask();
    const second = facts.answered();
    facts.ask();
    const third = facts.answered();
    assert.equal(looks.length, 1);
    looks[0]!(figures(10));
    await settled();
    assert.deepEqual([first(), second(), third()], [true, false, false]);
    assert.deepEqual(facts.figures(), figures(10));
    assert.equal(looks.length, 2);
    looks[1]!(figures(11));
    await settled();
    assert.deepEqual([second(), third(), wakes()], [true, true, 2]);
    assert.equal(looks.length, 2);
  });

  test('a file system that does not answer is not waited for', () => {
    const { facts, time } = pair();
    facts.ask();
    const isAnswered = facts.answered();
    time.nowMs = FILE_WAIT_MS - 1;
    assert.equal(isAnswered(), false);
    time.nowMs = FILE_WAIT_MS;
    assert.equal(isAnswered(), true);
    assert.equal(
      figureText(facts.figures().dataDirBytes),
      'unknown (the file system did not answer in time)',
    );
  });
});

describe('the survey', () => {
  test('adds up what is there; what is not there is missing alone', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
    try {
      mkdirSync(join(directory, 'version-2', 'deeper'), { recursive: true });
      writeFileSync(join(directory, 'version-2', 'snapshot.0'), 'x'.repeat(100));
      writeFileSync(join(directory, 'version-2', 'deeper', 'log.1'), 'x'.repeat(7));
      const found = await surveyFiles(directory, join(directory, 'nowhere'));
      assert.equal(found.dataDirBytes, 107);
      assert.equal(figureText(found.dataLogDirBytes), 'unknown (ENOENT)');
      assert.ok(found.openFiles > 0 && found.openFiles < found.openFilesMax);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('of a process that has no descriptor left', () => {
    const script = `
      import { openSync } from 'node:fs';
      import { figureText } from ${JSON.stringify(join(SOURCE, 'file-facts.ts'))};
      import { surveyFiles } from ${JSON.stringify(join(SOURCE, 'file-survey.ts'))};
      try { for (;;) openSync('/dev/null', 'r'); } catch {}
      const { dataDirBytes } = await surveyFiles(${JSON.stringify(tmpdir())}, '/');
      process._rawDebug(figureText(dataDirBytes));
    `;
    const { stderr } = spawnLimited(script);
    assert.match(stderr, /^unknown \(EMFILE\)$/m);
  });
});

describe('the environment', () => {
  const print = `
    import { environment } from ${JSON.stringify(join(SOURCE, 'environment.ts'))};
    console.log(JSON.stringify(environment()));
  `;

  function environmentOf(options: { uid?: number; cwd?: string; before?: string }): Map<string, string> {
    const { before = '', ...rest } = options;
    const script = `${before}\n${print}`;
    const args = ['--input-type=module', '-e', script];
    const text = execFileSync(process.execPath, args, { ...rest, env: {}, encoding: 'utf8' });
    return new Map(JSON.parse(text) as [string, string][]);
  }

  test('of a user id without a name and without HOME', (context) => {
    if (process.getuid?.() !== 0) {
      context.skip('only root can become such a user');
      return;
    }
    const facts = environmentOf({ uid: 54_321, cwd: '/' });
    assert.equal(facts.get('user.name'), '?');
    assert.equal(facts.get('user.home'), '?');
  });

  test('of a working directory that is gone', () => {
    const before = `
      import { mkdtempSync, rmdirSync } from 'node:fs';
      const directory = mkdtempSync(${JSON.stringify(join(tmpdir(), 'ringkeeper-test-'))});
      process.chdir(directory);
      rmdirSync(directory);
    `;
    assert.equal(environmentOf({ before }).get('user.dir'), '?');
  });
});

function spawnLimited(script: string): { stderr: string } {
  const [command, ...args] = [
    'prlimit',
    '--nofile=64:64',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const result = spawnSync(command!, args, { encoding: 'utf8' });
  return { stderr: result.stderr };
}
