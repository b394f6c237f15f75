/**
 * The rules of the house that neither the compiler nor the linter checks: who may import whom, what the core may
 * not touch, names, lengths, and documents that must agree with the tree. (Enums, default exports, focused tests and
 * long functions are the linter's: .biome.json.)
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import {
  byPath,
  files,
  filesUnder,
  importsOf,
  ROOT,
  type SourceFile,
  sources,
  withoutComments,
} from './support/source-files.ts';

/** What each layer of src may import besides itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  shm: ['base'],
  wire: ['base'],
  core: ['base', 'shm', 'wire'],
  storage: ['base', 'wire'],
  net: ['base', 'wire'],
  client: ['base', 'wire'],
  recipes: ['base', 'client'],
  shell: ['client', 'wire'],
  server: ['base', 'shm', 'wire', 'core', 'storage', 'net'],
  bin: ['base', 'server', 'shell', 'bench'],
};

/** What of src the engine may use: it meets the server over TCP only. */
const BENCH_MAY_IMPORT: readonly string[] = ['base', 'shm', 'wire', 'net', 'client', 'recipes'];

/**
 * What each folder of bench may import besides itself and src, types included. Who measures never imports who renders:
 * both know the result (`result/`). A campaign imports no other campaign.
 */
const BENCH_LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  plan: ['base'],
  result: ['plan'],
  latency: ['result'],
  session: ['base'],
  'null-server': [],
  micro: [],
  stats: ['plan', 'result'],
  check: ['result'],
  target: ['base', 'session'],
  measure: ['base', 'plan', 'result', 'latency', 'session', 'target'],
  load: ['base', 'plan', 'latency', 'session', 'check'],
  recipe: ['base', 'plan', 'session', 'load'],
  generator: ['base', 'plan', 'session', 'measure', 'load', 'recipe'],
  run: [
    ...['base', 'plan', 'result', 'latency', 'session', 'stats', 'check', 'target', 'measure', 'load'],
    ...['recipe', 'generator', 'figures'],
  ],
  compare: ['plan', 'result', 'stats'],
  tune: ['plan', 'result', 'stats', 'compare'],
  figures: ['plan', 'result'],
  replay: ['base', 'plan', 'result', 'latency', 'session', 'measure', 'figures'],
  'report/html': ['plan', 'result', 'latency', 'figures'],
  report: ['result', 'latency', 'figures', 'report/html'],
  terminal: ['base', 'plan', 'result', 'run', 'figures'],
  campaigns: [
    ...['base', 'plan', 'result', 'latency', 'session', 'stats', 'target', 'measure', 'load', 'generator'],
    ...['run', 'compare', 'figures', 'report/html', 'report', 'terminal'],
  ],
  availability: [
    ...['base', 'result', 'session', 'target', 'measure', 'figures', 'report/html', 'report', 'terminal'],
    ...['campaigns', 'stats'],
  ],
  command: [
    ...['base', 'plan', 'result', 'target', 'measure', 'recipe', 'run', 'compare', 'figures', 'replay'],
    ...['report', 'terminal', 'campaigns', 'availability', 'tune'],
  ],
};

/** The files of storage that touch the machine; all others are machines themselves, as pure as the core. */
const STORAGE_ADAPTERS: ReadonlySet<string> = new Set([
  'src/storage/node-disk.ts',
  'src/storage/data-dir-lock.ts',
  'src/storage/gzip.ts',
]);

/** The one folder of src without code: one short dated page per decision. */
const DECISIONS_FOLDER = 'decisions';
const DECISION_LINES_MAX = 45;

const LINES_MAX = 400;
const LINES_MAX_EVER = 500;
/** Files that may be longer than LINES_MAX, each with the reason why it does not fall apart into two. */
const LONG_FILES: Readonly<Record<string, string>> = {};

/** Things a deterministic machine must not know of. */
const CORE_BANS: readonly RegExp[] = [
  /\bDate\b/,
  /\bMath\.random\b/,
  /\bperformance\b/,
  /\bset(?:Timeout|Interval|Immediate)\b/,
  /\bqueueMicrotask\b/,
  /\bPromise\b/,
  /\basync\b/,
  /\bawait\b/,
  /\blocaleCompare\b/,
  /\bWeakRef\b/,
  /\bFinalizationRegistry\b/,
  // Paths are text: joining them asks nobody.
  /['"]node:(?!path['"])/,
];

const BANNED_SUFFIX = /(?:^|-)(?:manager|helpers?|utils?|impl|data)\.[jt]s$/;

/** The folder that layering is about: `src/core`, or `bench`, or `test`. */
function layerOf(path: string): string {
  const parts = path.split('/');
  return parts[0] === 'src' ? parts[1]! : parts[0]!;
}

function inLayer(layer: string): SourceFile[] {
  return sources.filter((file) => file.path.startsWith(`src/${layer}/`));
}

function inBench(): SourceFile[] {
  return sources.filter((file) => file.path.startsWith('bench/'));
}

/** A key of BENCH_LAYERS. All campaigns are one. */
function benchFolderOf(path: string): string {
  return path.startsWith('bench/report/html/') ? 'report/html' : path.split('/')[1]!;
}

/** `soak` of `bench/campaigns/soak/loads.ts`; empty for what the campaigns share. */
function campaignOf(path: string): string {
  const [, folder, campaign, file] = path.split('/');
  return folder === 'campaigns' && file !== undefined ? campaign! : '';
}

/** Folders of src and bench from which imports lead back to themselves by way of another folder. */
function foldersInCycles(): string[] {
  const graph = new Map<string, Set<string>>();
  for (const file of sources.filter(({ path }) => !path.startsWith('test/'))) {
    const from = dirname(file.path);
    const targets = graph.get(from) ?? new Set();
    graph.set(from, targets);
    for (const imported of importsOf(file)) if (dirname(imported) !== from) targets.add(dirname(imported));
  }
  const reaches = (start: string): boolean => {
    const seen = new Set<string>();
    const waiting = [...(graph.get(start) ?? [])];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      if (folder === start) return true;
      if (seen.has(folder)) continue;
      seen.add(folder);
      waiting.push(...(graph.get(folder) ?? []));
    }
    return false;
  };
  return [...graph.keys()].filter(reaches).sort();
}

function assertNone(violations: readonly string[]): void {
  assert.equal(violations.length, 0, `\n${violations.join('\n')}`);
}

describe('layers', () => {
  it('are the folders of src', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    assert.deepEqual(
      folders.map((entry) => entry.name).sort(),
      [...Object.keys(LAYERS), DECISIONS_FOLDER].sort(),
    );
  });

  it('import downward only; nothing imports test, and only the command line bench', () => {
    const violations: string[] = [];
    for (const file of sources) {
      const layer = layerOf(file.path);
      for (const imported of importsOf(file)) {
        const target = layerOf(imported);
        const allowed =
          target === layer ||
          layer === 'test' ||
          (layer === 'bench'
            ? imported.startsWith('src/') && BENCH_MAY_IMPORT.includes(target)
            : (LAYERS[layer] ?? []).includes(target));
        if (!allowed) violations.push(`${file.path} imports ${imported}`);
      }
    }
    assertNone(violations);
  });

  it('of bench are its folders, and import downward only', () => {
    const folders = new Set(inBench().map((file) => benchFolderOf(file.path)));
    assert.deepEqual([...folders].sort(), Object.keys(BENCH_LAYERS).sort());
    const violations: string[] = [];
    for (const file of inBench()) {
      const folder = benchFolderOf(file.path);
      for (const imported of importsOf(file).filter((path) => path.startsWith('bench/'))) {
        const target = benchFolderOf(imported);
        const elsewhere = campaignOf(imported) !== '' && campaignOf(imported) !== campaignOf(file.path);
        const allowed =
          target === folder
            ? !(folder === 'campaigns' && elsewhere)
            : (BENCH_LAYERS[folder] ?? []).includes(target);
        if (!allowed) violations.push(`${file.path} imports ${imported}`);
      }
    }
    assertNone(violations);
  });

  it('have no cycles between folders', () => {
    assertNone(foldersInCycles());
  });

  it('have no cycles inside', () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
        return;
      }
      const file = byPath.get(path);
      if (file === undefined || done.has(path)) return;
      for (const imported of importsOf(file)) visit(imported, [...trail, path]);
      done.add(path);
    };
    for (const file of sources) visit(file.path, []);
    assertNone(cycles);
  });

  it('keep clocks, chance, promises and Node out of core and of the machines of storage', () => {
    const violations: string[] = [];
    const machines = inLayer('storage').filter(({ path }) => !STORAGE_ADAPTERS.has(path));
    assert.equal(
      machines.length + STORAGE_ADAPTERS.size,
      inLayer('storage').length,
      'STORAGE_ADAPTERS exist',
    );
    for (const file of [...inLayer('core'), ...machines]) {
      const code = withoutComments(file.text);
      for (const ban of CORE_BANS) if (ban.test(code)) violations.push(`${file.path} uses ${ban.source}`);
    }
    assertNone(violations);
  });
});

describe('files', () => {
  it('are short enough', () => {
    const violations: string[] = [];
    for (const file of sources) {
      const lines = file.text.split('\n').length - 1;
      const limit = file.path in LONG_FILES ? LINES_MAX_EVER : LINES_MAX;
      if (lines > limit) violations.push(`${file.path}: ${lines} lines, allowed ${limit}`);
    }
    for (const path of Object.keys(LONG_FILES)) {
      if (!byPath.has(path)) violations.push(`${path}: listed as long but not there`);
    }
    assertNone(violations);
  });

  it('have names that say something', () => {
    assertNone(sources.filter((file) => BANNED_SUFFIX.test(basename(file.path))).map((file) => file.path));
  });

  it('begin with an essay', () => {
    const violations: string[] = [];
    for (const file of sources) {
      if (!file.path.startsWith('src/')) continue;
      const head = file.text.replace(/^#!.*\n(?:':' \/\/;.*\n)?/, '').replace(/^(?:import[\s\S]*?;\n+)*/, '');
      if (!head.startsWith('/**')) violations.push(file.path);
    }
    assertNone(violations);
  });

  it('have nothing left open', () => {
    const violations: string[] = [];
    const pattern = new RegExp(
      `\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b|\\b(?:it|test|describe)\\.to${'do'}\\(`,
    );
    for (const file of files) if (pattern.test(file.text)) violations.push(file.path);
    assertNone(violations);
  });

  it('name no place of the machine they were written on', () => {
    const top = readdirSync(ROOT, { withFileTypes: true })
      // In a second work tree `.git` is a file; it is not the project's.
      .filter((entry) => entry.isFile() && entry.name !== '.git')
      .map((entry) => ({ path: entry.name, text: readFileSync(join(ROOT, entry.name), 'utf8') }));
    const all = [...files, ...top, ...filesUnder(join(ROOT, '.ci'))];
    // Written with brackets so that they do not find themselves.
    const pattern = /\/[w]ork\/|\/[r]oot\/|"resolved": "[h]ttp/;
    assertNone(all.filter((file) => pattern.test(file.text)).map((file) => file.path));
  });
});

describe('documents', () => {
  it('list exactly the files of their folder', () => {
    const violations: string[] = [];
    for (const layer of Object.keys(LAYERS)) violations.push(...readmeViolations(`src/${layer}`));
    violations.push(...readmeViolations('bench'));
    for (const folder of Object.keys(BENCH_LAYERS)) {
      if (!existsSync(join(ROOT, 'bench', folder, 'README.md')))
        violations.push(`bench/${folder}/README.md is missing`);
    }
    assertNone(violations);
  });

  it('name each decision once: numbered, dated, short, listed by the architecture', () => {
    const page = readFileSync(join(ROOT, 'src', 'ARCHITECTURE.md'), 'utf8');
    const numbers = new Set<number>();
    const violations: string[] = [];
    for (const file of files.filter(({ path }) => path.startsWith(`src/${DECISIONS_FOLDER}/`))) {
      const number = Number.parseInt(basename(file.path), 10);
      const head = /^# (\d+)\. \S.*\n\n\d{4}-\d{2}-\d{2}\n\n/.exec(file.text);
      if (head === null || Number(head[1]) !== number)
        violations.push(`${file.path}: no number, title and date`);
      if (numbers.has(number)) violations.push(`${file.path}: ${number} stands twice`);
      numbers.add(number);
      if (file.text.split('\n').length - 1 > DECISION_LINES_MAX) violations.push(`${file.path}: too long`);
      const listed =
        page.includes(`${number}. [`) && page.includes(`(${DECISIONS_FOLDER}/${basename(file.path)})`);
      if (!listed) violations.push(`src/ARCHITECTURE.md does not list ${file.path}`);
    }
    assert.ok(numbers.size > 0);
    assertNone(violations);
  });

  it('pin one exact Node for all platforms, and name it', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const versions = new Set<string>(Object.values(manifest.optionalDependencies));
    assert.equal(versions.size, 1, [...versions].join(', '));
    const [version] = versions;
    assert.match(version!, /^\d+\.\d+\.\d+$/);
    const decision = readFileSync(join(ROOT, 'src/decisions/32-maglev-without-escape-analysis.md'), 'utf8');
    assert.ok(decision.includes(`(${version})`), 'decision 32 is to be looked at again with each new Node');
  });

  it('give a reason for each dependency', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const page = readFileSync(join(ROOT, 'src', 'ARCHITECTURE.md'), 'utf8');
    const names = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
      Object.keys(manifest[kind]),
    );
    assertNone(names.filter((name) => !page.includes(`\`${name}\``)));
  });
});

/**
 * A folder's README names, in backticks or in an indented list, each source file below it; a subfolder with a README of its own answers for
 * itself and is named as a folder. No name without a file.
 */
function readmeViolations(folder: string): string[] {
  const readmePath = join(ROOT, folder, 'README.md');
  if (!existsSync(readmePath)) return [`${folder}/README.md is missing`];
  const readme = readFileSync(readmePath, 'utf8');
  const lines = readme.split('\n').length - 1;
  const violations = lines > 60 ? [`${folder}/README.md: ${lines} lines, allowed 60`] : [];
  const names = readme.matchAll(/`([\w./-]+\.[jt]s)`|(?<=^ {4}.*)(?<![\w./-])([\w-]+\.[jt]s)\b/gm);
  const named = new Set([...names].map((match) => basename(match[1] ?? match[2]!)));
  const present = new Set<string>();
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(ROOT, path), { withFileTypes: true })) {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory() && existsSync(join(ROOT, child, 'README.md'))) {
        if (!new RegExp(`\`${entry.name}/?\``).test(readme))
          violations.push(`${folder}/README.md does not name ${child}/`);
        violations.push(...readmeViolations(child));
      } else if (entry.isDirectory()) {
        visit(child);
      } else if (/\.[jt]s$/.test(entry.name)) {
        present.add(entry.name);
        if (!named.has(entry.name)) violations.push(`${folder}/README.md does not name ${child}`);
      }
    }
  };
  visit(folder);
  const known = new Set(sources.map((file) => basename(file.path)));
  for (const name of named) {
    if (!known.has(name)) violations.push(`${folder}/README.md names ${name}, which is not there`);
  }
  return violations;
}
