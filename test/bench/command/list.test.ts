/** What the command says without measuring: lists, help, and one line for everything that the user can mend. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { presetNames, presetText } from '../../../bench/plan/presets.ts';
import { buildPlan } from '../../../bench/plan/schema.ts';
import { bench, planFile, refusal, tempDir } from './support.ts';

test('bench list names every preset with its phases, length and purpose', async () => {
  const { status, stdout, stderr } = await bench('list');
  assert.deepEqual([status, stderr], [0, '']);
  for (const name of presetNames()) assert.match(stdout, new RegExp(`^${name} `, 'm'));
  assert.match(
    stdout,
    /^standalone-quick +36 s {2}read, write, mixed\n +1 KB values; reads, durable writes/m,
  );
  assert.match(stdout, /^atc10-table3 +<900 s {2}barriers {2}connections 50, 100, 200$/m);
});

test('bench list --json is one document', async () => {
  const { status, stdout } = await bench('list', '--json');
  assert.equal(status, 0);
  const plans = JSON.parse(stdout) as { name: string; phases: string[]; seconds: number; sweep: unknown[] }[];
  assert.deepEqual(
    plans.map(({ name }) => name),
    presetNames(),
  );
  const table2 = plans.find(({ name }) => name === 'atc10-table2')!;
  assert.deepEqual([table2.phases, table2.seconds], [['creates'], 45]);
  assert.deepEqual(table2.sweep, [{ path: 'connections', values: [1, 10, 20] }]);
});

test('bench list NAME prints the plan to copy and change, with --json the checked one', async () => {
  const yaml = await bench('list', 'prod-mix');
  assert.equal(yaml.stdout, presetText('prod-mix'));
  const json = await bench('list', 'prod-mix', '--json');
  const expected = buildPlan({ name: 'prod-mix', ...parse(yaml.stdout) }, 'prod-mix');
  assert.deepEqual(JSON.parse(json.stdout), JSON.parse(JSON.stringify(expected)));
});

test('every command explains itself', async () => {
  const { status, stdout } = await bench('--help');
  assert.equal(status, 0);
  for (const command of ['run', 'list', 'compare', 'report', 'record', 'replay']) {
    assert.match(stdout, new RegExp(`ringkeeper bench ${command}\\b`));
  }
  const { stdout: run } = await bench('run', '--help');
  const flags =
    'target seed out json check set seconds warmup connections outstanding workers rate phase server-arg temp-dir';
  for (const flag of flags.split(' ')) assert.match(run, new RegExp(` --${flag} `), flag);
});

const file = join(tempDir, 'a-file');
writeFileSync(file, '');
const recording = join(tempDir, 'recording');
mkdirSync(recording);
const wrongPlan = planFile('wrong', 'conections: 5');
const notYaml = join(tempDir, 'not.yaml');
writeFileSync(notYaml, 'phases: [');
const sweep = planFile('sweep', 'sweep: {connections: [1, 2]}');

const REFUSED: readonly (readonly [args: readonly string[], line: RegExp])[] = [
  [['rnu'], /Did you mean run\?/],
  [['run'], /bench run: which plan\? a YAML file or one of atc10-fig5, /],
  [['run', 'prod-mxi'], /no preset "prod-mxi" - did you mean "prod-mix"\?/],
  [['run', 'no/such.yaml'], /no\/such\.yaml: no such file/],
  [['run', wrongPlan], /wrong\.yaml:5:1: conections: unknown key - did you mean "connections"\?/],
  [['run', notYaml], /not\.yaml:1:10: not valid YAML: /],
  [['run', 'prod-mix', '--bogus'], /Unknown argument: bogus/],
  [
    ['run', 'prod-mix', '--connections', 'many'],
    /--connections: connections: "many" - allowed: a whole number/,
  ],
  [
    ['run', 'prod-mix', '--set', 'phases.mixed.mesure=5s'],
    /--set: phases\.mixed\.mesure: unknown key - did you mean "measure"\?/,
  ],
  [['run', 'prod-mix', '--target', 'apachee'], /--target: "apachee" - allowed: embedded, /],
  [
    ['run', 'prod-mix', '--target', '127.0.0.1:1', '--out', tempDir, '--no-ceiling'],
    /127\.0\.0\.1:1.*ECONNREFUSED/,
  ],
  [['run', 'prod-mix', '--out', join(file, 'x')], /--out: .*a-file\/x - results cannot be written there: /],
  [
    ['run', sweep, '--target', 'null', '--replicates', '0', '--out', tempDir],
    /replicates = 0; allowed: 1 to 100/,
  ],
  [['run', 'prod-mix', '--replicates', '3'], /^--replicates: only for a plan with a sweep/],
  [
    ['replay', tempDir, '--out', tempDir],
    /cannot be read: it is a directory - allowed: a file made by bench record/,
  ],
  [['run', 'prod-mix', '--auth', 'digest:me'], /^--auth: only for a running service/],
  [
    ['run', 'prod-mix', '--target', 'h:1', '--auth', 'digest:me'],
    /^--auth: the value - allowed: digest:USER:PASSWORD/,
  ],
  [
    ['run', 'prod-mix', '--target', 'h:1', '--auth', '@/no/file'],
    /^--auth: @\/no\/file - the file cannot be read/,
  ],
  [['compare', 'null'], /Not enough non-option arguments/],
  [['compare', 'nulll', 'null'], /A: "nulll" - allowed: /],
  [['compare', 'null', 'nulll'], /B: "nulll" - allowed: /],
  [['compare', 'null', 'null', '--pairs', '0', '--out', tempDir], /pairs = 0; allowed: whole numbers from 1/],
  [
    ['compare', 'null', 'null', '--min-effect', '5'],
    /--min-effect: "5" - allowed: a percentage above 0, e\.g\. 5%/,
  ],
  [['compare', 'null', 'null', '--gate', 'fast'], /Invalid values.*gate/s],
  [['compare', 'null', 'null', '--max-loss', '5%'], /--max-loss: only with --gate slower/],
  [
    ['compare', 'null', 'null', '--gate', 'not-faster', '--max-loss', '5%'],
    /--max-loss: only with --gate slower/,
  ],
  [
    ['compare', 'null', 'null', '--plan', 'atc10-fig5'],
    /the plan has a sweep - a comparison has one load: .*--set sweep=\{\}/,
  ],
  [['report', join(tempDir, 'nowhere')], /nowhere - no such directory/],
  [['report', recording], /holds no result/],
  [['replay', join(tempDir, 'no.rec'), '--target', 'null', '--out', tempDir], /no\.rec/],
  [['replay', file, '--speed', 'fast'], /--speed: fast - allowed: max, or a number/],
  [
    ['record', '--listen', 'here', '--upstream', 'x:1', '--out', 'f'],
    /--listen: "here" - allowed: host:port or :port/,
  ],
  [
    ['record', '--listen', '127.0.0.1:0', '--upstream', 'x:1,y', '--out', 'f'],
    /--upstream: "y" - allowed: host:port/,
  ],
  [['record', '--listen', '127.0.0.1:0', '--upstream', '127.0.0.1:1', '--out', file], /a-file/],
];

for (const [args, message] of REFUSED) {
  test(`bench ${args.join(' ').replaceAll(tempDir, '...')} is refused`, async () => {
    const failure = await refusal(...args);
    assert.match(failure.message, message);
    // yargs lists wrong choices below its message.
    if (!failure.message.startsWith('Invalid values')) assert.doesNotMatch(failure.message, /\n/);
  });
}

test('what is refused is one line on stderr, and status 2', async () => {
  const { status, stdout, stderr } = await bench('run', 'prod-mix', '--connections', 'many');
  const message = '--connections: connections: "many" - allowed: a whole number from 1 to 20000';
  assert.deepEqual([status, stdout, stderr], [2, '', `ringkeeper: ${message}\n`]);
});
