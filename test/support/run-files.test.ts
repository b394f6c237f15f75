/** The runner's own rule: a file that fails beside others and passes alone is named, and fails nothing; all else does. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { FILE_TIMEOUT } from './bound-file.ts';

const RUN_FILES = pathToFileURL(join(import.meta.dirname, 'run-files.ts'));

/** As in a real run: rejections are not tracked. */
const PRELOADED = pathToFileURL(join(import.meta.dirname, 'untracked-promises.ts'));

const BOUND = pathToFileURL(join(import.meta.dirname, 'bound-file.ts'));

const LEFT_OPEN = `import { it } from 'node:test';
it('leaves something', () => void setInterval(() => {}, 1000));
`;
const PASSES = `import { it } from 'node:test';
it('is fine', () => {});
`;
const FAILS = `import { describe, it } from 'node:test';
describe('a thing', () => it('is never right', () => { throw new Error('it is broken\\nin two lines'); }));
`;
/** Fails in its first run only. */
const UNSTEADY = `import { existsSync, writeFileSync } from 'node:fs';
import { it } from 'node:test';
it('is right at times', () => {
  const ran = import.meta.filename + '.ran';
  if (existsSync(ran)) return;
  writeFileSync(ran, '');
  throw new Error('the port is taken\\nby another');
});
`;
const SEEN = 'right at times, the port is taken';

function runThose(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  execArgv: readonly string[] = [],
  variables: Readonly<Record<string, string>> = {},
): { passed: boolean; output: string } {
  const root = mkdtempSync(join(tmpdir(), 'ringkeeper-run-files-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  const fileRun = { root, files: Object.keys(files), concurrency: 2, execArgv };
  const script = `import { runFiles } from ${JSON.stringify(RUN_FILES)};
const { passed, remarks } = await runFiles(${JSON.stringify(fileRun)});
for (const remark of remarks) console.log(remark);
process.exitCode = passed ? 0 : 7;
`;
  // Without it the runner inside this test would run nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const main = join(root, 'main.ts');
  writeFileSync(main, script);
  const { status, stdout, stderr } = spawnSync(process.execPath, [main], {
    env: { ...env, ...variables },
    encoding: 'utf8',
  });
  assert.ok(status === 0 || status === 7, `${stdout}${stderr}`);
  return { passed: status === 0, output: stdout };
}

it('passes with a file that fails beside others and passes alone, and names it below its first failure', (t) => {
  const { passed, output } = runThose(t, { 'test/net/a.test.ts': UNSTEADY, 'test/net/b.test.ts': PASSES });
  assert.equal(passed, true, output);
  assert.match(output, /by another[\s\S]*once more, alone: test\/net\/a\.test\.ts/);
  assert.match(
    output,
    /^unsteady: test\/net\/a\.test\.ts failed beside others and passed alone: is right at times, the port is taken$/m,
  );
  assert.doesNotMatch(output, /alone: test\/net\/b/);
});

it('fails with a file that fails alone as well, and names its innermost test', (t) => {
  const { passed, output } = runThose(t, { 'test/net/a.test.ts': UNSTEADY, 'test/net/b.test.ts': FAILS });
  assert.equal(passed, false, output);
  assert.match(
    output,
    /^failed: test\/net\/b\.test\.ts: is never right, it is broken; and alone: is never right/m,
  );
  assert.match(output, /^unsteady: test\/net\/a/m);
});

it('runs no machine again: its first failure is final', (t) => {
  for (const folder of ['test/sim', 'test/core/tree', 'made/test/wire']) {
    const { passed, output } = runThose(t, {
      [`${folder}/a.test.ts`]: UNSTEADY,
      'test/net/b.test.ts': PASSES,
    });
    assert.equal(passed, false, output);
    assert.ok(output.includes(`failed: ${folder}/a.test.ts: is ${SEEN}`), output);
    assert.doesNotMatch(output, /once more/);
  }
});

it('bears three unsteady files, and no fourth', (t) => {
  const files = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`test/net/${i}.test.ts`, UNSTEADY]));
  assert.equal(runThose(t, files(3)).passed, true);
  const { passed, output } = runThose(t, files(4));
  assert.equal(passed, false);
  assert.match(output, /4 files failed, too many/);
});

it('fails with a file that does not load, ends early, leaves a rejection or whose hook fails', (t) => {
  const broken = {
    load: `throw new Error('no such thing');\n`,
    exit: `${PASSES}setTimeout(() => process.exit(3), 50);\nawait new Promise(() => setInterval(() => {}, 1000));\n`,
    rejection: `${PASSES}(async () => { await 0; throw new Error('nobody waits'); })();\n`,
    hook: `import { after } from 'node:test';\nafter(() => { throw new Error('left over'); });\n${PASSES}`,
  };
  for (const [name, text] of Object.entries(broken)) {
    const { passed, output } = runThose(t, { [`test/net/${name}.test.ts`]: text }, [`--import=${PRELOADED}`]);
    assert.equal(passed, false, output);
    assert.match(output, new RegExp(`^failed: test/net/${name}`, 'm'));
  }
});

it('ends a file that does not end by itself, and says what it has left open', (t) => {
  const { passed, output } = runThose(t, { 'test/core/a.test.ts': LEFT_OPEN }, [`--import=${BOUND}`], {
    [FILE_TIMEOUT]: '1000',
  });
  assert.equal(passed, false);
  assert.match(output, /a\.test\.ts has not ended after 1000 ms; open: .*Timeout/);
});
