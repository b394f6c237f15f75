/** Plans by name: the presets that ship with the package (`bench/presets/*.yaml`), or any file. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ConfigFailure } from '../../src/base/failure.ts';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import { suggestion } from './did-you-mean.ts';
import { isMapping } from './field.ts';
import type { Plan } from './plan.ts';
import { type PlanSource, readPlanText } from './plan-text.ts';
import { buildPlan } from './schema.ts';

/** Shipped as they are, also where the program runs from `dist`. */
const PRESET_DIR = join(PACKAGE_ROOT, 'bench', 'presets');
const EXTENSION = /\.ya?ml$/;

/** Names of all presets, sorted. */
export function presetNames(): string[] {
  return readdirSync(PRESET_DIR)
    .filter((file) => EXTENSION.test(file))
    .map((file) => file.replace(EXTENSION, ''))
    .sort();
}

/** @throws ConfigFailure when there is no preset of that name. */
export function presetText(name: string): string {
  const names = presetNames();
  if (!names.includes(name)) {
    throw new ConfigFailure(
      `no preset "${name}"${suggestion(name, names) || ' -'} presets: ${names.join(', ')}`,
    );
  }
  return readFileSync(join(PRESET_DIR, `${name}.yaml`), 'utf8');
}

/** @throws ConfigFailure with file, key, value and what is allowed. */
export function loadPlan(nameOrFile: string): PlanSource & { readonly plan: Plan } {
  const source = readPlan(nameOrFile);
  return { ...source, plan: buildPlan(source.document, source.locate) };
}

/** The document alone, not yet checked: for changes by the command line. Named after its file when it has no name. */
export function readPlan(nameOrFile: string): PlanSource {
  const isFile =
    EXTENSION.test(nameOrFile) ||
    nameOrFile.includes('/') ||
    (!presetNames().includes(nameOrFile) && existsSync(nameOrFile));
  const source = isFile
    ? readPlanText(planFileText(nameOrFile), nameOrFile)
    : readPlanText(presetText(nameOrFile), nameOrFile);
  const { document } = source;
  if (!isMapping(document) || document['name'] !== undefined) return source;
  return { ...source, document: { name: nameFromFile(nameOrFile), ...document } };
}

function planFileText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'it is a directory' : message;
    throw new ConfigFailure(
      `${file}: ${reason} - a plan is a YAML file or one of ${presetNames().join(', ')}`,
    );
  }
}

function nameFromFile(file: string): string {
  const name = basename(file)
    .replace(EXTENSION, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');
  return name.replaceAll(/^-+|-+$/g, '').slice(0, 40) || 'plan';
}
