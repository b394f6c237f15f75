/** The sources of this repository as text, for the rules of the house. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

export const files = ['src', 'bench', 'test'].flatMap((folder) => filesUnder(join(ROOT, folder)));
export const sources = files.filter((file) => /\.[jt]s$/.test(file.path));
export const byPath = new Map(sources.map((file) => [file.path, file]));

export function filesUnder(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(`${sep}node_modules${sep}`) && !file.includes(`${sep}__pycache__${sep}`))
    .filter((file) => !file.includes(join('test', 'fixtures') + sep))
    .map((file) => ({ path: relative(ROOT, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }));
}

/** Paths from the root of the files that `file` imports, lazily imports or starts as workers. */
export function importsOf(file: SourceFile): string[] {
  const paths: string[] = [];
  const pattern = /(?:\bfrom\s+|\bimport\s+|\bimport\(\s*|\bnew URL\(\s*)['"](\.{1,2}\/[^'"]+\.[jt]s)['"]/g;
  for (const match of withoutComments(file.text).matchAll(pattern)) {
    paths.push(join(dirname(file.path), match[1]!).split(sep).join('/'));
  }
  return paths;
}

/** Good enough for house rules: a `//` inside a string may cut a line short, never invent code. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}
