/**
 * The rules of the house that neither the compiler nor the linter checks: who may import whom, what the core may
 * not touch, names, lengths, and documents that must agree with the tree. (Enums, default exports, focused tests and
 * long functions are the linter's: .biome.json.)
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

/** What each layer of src may import besides itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  shm: ['base'],
  wire: ['base'],
  core: ['base', 'shm', 'wire'],
  storage: ['base', 'wire'],
  net: ['base', 'wire'],
  server: ['base', 'shm', 'wire', 'core', 'storage', 'net'],
  bin: ['base', 'server', 'bench'],
};

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
  /['"]node:/,
];

const BANNED_SUFFIX = /(?:^|-)(?:manager|helpers?|utils?|impl|data)\.[jt]s$/;

interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

const files = ['src', 'bench', 'test'].flatMap((folder) => filesUnder(join(ROOT, folder)));
const sources = files.filter((file) => /\.[jt]s$/.test(file.path));
const byPath = new Map(sources.map((file) => [file.path, file]));

function filesUnder(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(`${sep}node_modules${sep}`) && !file.includes(`${sep}__pycache__${sep}`))
    .filter((file) => !file.includes(join('test', 'fixtures') + sep))
    .map((file) => ({ path: relative(ROOT, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }));
}

/** Paths from the root of the files that `file` imports, lazily imports or starts as workers. */
function importsOf(file: SourceFile): string[] {
  const paths: string[] = [];
  const pattern = /(?:\bfrom\s+|\bimport\s+|\bimport\(\s*|\bnew URL\(\s*)['"](\.{1,2}\/[^'"]+\.[jt]s)['"]/g;
  for (const match of withoutComments(file.text).matchAll(pattern)) {
    paths.push(join(dirname(file.path), match[1]!).split(sep).join('/'));
  }
  return paths;
}

/** Good enough for house rules: a `//` inside a string may cut a line short, never invent code. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

/** The folder that layering is about: `src/core`, or `bench`, or `test`. */
function layerOf(path: string): string {
  const parts = path.split('/');
  return parts[0] === 'src' ? parts[1]! : parts[0]!;
}

function inLayer(layer: string): SourceFile[] {
  return sources.filter((file) => file.path.startsWith(`src/${layer}/`));
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
          (layer === 'bench' ? imported.startsWith('src/') : (LAYERS[layer] ?? []).includes(target));
        if (!allowed) violations.push(`${file.path} imports ${imported}`);
      }
    }
    assertNone(violations);
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

  it('keep clocks, chance, promises and Node out of core', () => {
    const violations: string[] = [];
    for (const file of inLayer('core')) {
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
      const head = file.text.replace(/^#!.*\n/, '').replace(/^(?:import[\s\S]*?;\n+)*/, '');
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
 * A folder's README names, in backticks, each source file below it; a subfolder with a README of its own answers for
 * itself and is named as a folder. No name without a file.
 */
function readmeViolations(folder: string): string[] {
  const readmePath = join(ROOT, folder, 'README.md');
  if (!existsSync(readmePath)) return [`${folder}/README.md is missing`];
  const readme = readFileSync(readmePath, 'utf8');
  const lines = readme.split('\n').length - 1;
  const violations = lines > 60 ? [`${folder}/README.md: ${lines} lines, allowed 60`] : [];
  const named = new Set([...readme.matchAll(/`([\w./-]+\.[jt]s)`/g)].map((match) => basename(match[1]!)));
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
  for (const name of named) {
    const elsewhere = sources.some(
      (file) => basename(file.path) === name && !file.path.startsWith(`${folder}/`),
    );
    if (!present.has(name) && !elsewhere)
      violations.push(`${folder}/README.md names ${name}, which is not there`);
  }
  return violations;
}
