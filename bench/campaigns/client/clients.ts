/**
 * Who takes part: how each client is built, how its driver is started, and, where it cannot be, why. Nothing is installed into
 * the checkout: what has to be built is built in a folder that the campaign removes.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../base/package-root.ts';
import { TASKS, type Task } from './client-json.ts';

const run = promisify(execFile);

export interface Contender {
  readonly name: string;
  /** Version and runtime. */
  readonly what: string;
  readonly tasks: readonly Task[];
  readonly command: string;
  /** In front of the task's own arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export const CLIENT_NAMES = [
  'ringkeeper',
  'raw-socket',
  'node-zookeeper-client',
  'npm-zookeeper',
  'kazoo',
  'java',
] as const;
export type ClientName = (typeof CLIENT_NAMES)[number];

const ALL: readonly Task[] = ['gets', 'single', 'tree', 'lock'];

/** `string`: why it is not here. */
type Prepared = Contender | string;

export const DRIVERS_DIR = join(PACKAGE_ROOT, 'bench/campaigns/client/drivers');
/** The distribution's: its packages are invisible to any other. */
const PYTHON = '/usr/bin/python3';
const JAVA_DIR = '/usr/share/java';
const JAVA_JARS = ['zookeeper', 'zookeeper-jute', 'slf4j-simple'];
const CURATOR_JARS = ['curator-client', 'curator-framework', 'curator-recipes'];
const INSTALL_MS_MAX = 300_000;

const MAKERS: Readonly<Record<ClientName, (buildDir: string) => Promise<Prepared>>> = {
  ringkeeper: async () => node('ringkeeper', `this checkout, Node ${process.version}`, TASKS),
  'raw-socket': async () =>
    node('raw-socket', `one frame again and again, Node ${process.version}`, ['single']),
  'node-zookeeper-client': async () => {
    const version = packageVersion(PACKAGE_ROOT, 'node-zookeeper-client');
    if (version === null) return 'not in node_modules: npm ci';
    return node('node-zookeeper-client', `${version}, Node ${process.version}`, ['gets', 'single']);
  },
  'npm-zookeeper': npmZookeeper,
  kazoo,
  java,
};

/** `buildDir` is there, and stays until the last round. */
export async function prepareClients(
  names: readonly ClientName[],
  buildDir: string,
): Promise<{ contenders: Contender[]; absent: { name: string; why: string }[] }> {
  const contenders: Contender[] = [];
  const absent: { name: string; why: string }[] = [];
  for (const name of names) {
    const prepared = await MAKERS[name](buildDir);
    if (typeof prepared === 'string') absent.push({ name, why: prepared });
    else contenders.push(prepared);
  }
  return { contenders, absent };
}

function node(name: ClientName, what: string, tasks: readonly Task[]): Contender {
  return { name, what, tasks, command: process.execPath, args: [join(DRIVERS_DIR, `${name}.mjs`)], env: {} };
}

async function npmZookeeper(buildDir: string): Promise<Prepared> {
  const folder = join(buildDir, 'npm-zookeeper');
  const from = join(PACKAGE_ROOT, 'test/compat/npm-zookeeper');
  const runtime = olderNode();
  if (runtime === null) return 'its addon needs a Node of 18 to 22 beside this one';
  mkdirSync(folder);
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(from, file), join(folder, file));
  const env = { ...process.env, PATH: [dirname(runtime), process.env['PATH']].join(delimiter) };
  try {
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, env, timeout: INSTALL_MS_MAX });
    await run(runtime, ['-e', "require('zookeeper')"], { cwd: folder });
  } catch (error) {
    return `could not be built: ${(error as Error).message.split('\n')[0]}`;
  }
  const { stdout } = await run(runtime, ['--version']);
  return {
    name: 'npm-zookeeper',
    what: `${packageVersion(folder, 'zookeeper')}, Node ${stdout.trim()}`,
    tasks: ['gets', 'single'],
    command: runtime,
    args: [join(DRIVERS_DIR, 'npm-zookeeper.mjs')],
    env: { PACKAGE_FOLDER: folder },
  };
}

async function kazoo(): Promise<Prepared> {
  try {
    const { stdout } = await run(PYTHON, [
      '-c',
      'import kazoo.version as v, platform as p; print(v.__version__, p.python_version())',
    ]);
    const [version, python] = stdout.trim().split(' ');
    return {
      name: 'kazoo',
      what: `${version}, Python ${python}`,
      tasks: ALL,
      command: PYTHON,
      args: [join(DRIVERS_DIR, 'kazoo_driver.py')],
      env: {},
    };
  } catch {
    return 'apt-get install python3-kazoo';
  }
}

async function java(buildDir: string): Promise<Prepared> {
  const jars = (names: readonly string[]): string[] => names.map((name) => join(JAVA_DIR, `${name}.jar`));
  const hasCurator = jars(CURATOR_JARS).every((jar) => existsSync(jar));
  if (!jars(JAVA_JARS).every((jar) => existsSync(jar)) || !hasCurator)
    return 'apt-get install zookeeper libcurator-recipes-java libslf4j-java';
  const classPath = [...jars(JAVA_JARS), ...jars(CURATOR_JARS)];
  const classes = join(buildDir, 'java');
  mkdirSync(classes);
  const sources = ['JavaDriver.java', 'CuratorTasks.java'].map((file) => join(DRIVERS_DIR, file));
  try {
    await run('javac', ['-d', classes, '-cp', classPath.join(delimiter), ...sources]);
  } catch (error) {
    return `could not be compiled: ${(error as Error).message.split('\n')[0]}`;
  }
  const { stderr } = await run('java', ['-version']);
  const flags = [
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=off',
    '-cp',
    [classes, ...classPath].join(delimiter),
  ];
  return {
    name: 'java',
    what: `Apache's client${jarVersion('zookeeper')}, Curator${jarVersion('curator-recipes')}; ${stderr.split('\n')[0]}`,
    tasks: ALL,
    command: 'java',
    args: [...flags, 'JavaDriver'],
    env: {},
  };
}

/** The distribution keeps `name-version.jar` beside `name.jar`. */
function jarVersion(name: string): string {
  const versions = ['3.8.0', '5.4.0'].filter((version) =>
    existsSync(join(JAVA_DIR, `${name}-${version}.jar`)),
  );
  return versions.length === 1 ? ` ${versions[0]}` : '';
}

function packageVersion(folder: string, name: string): string | null {
  try {
    const manifest = createRequire(join(folder, 'package.json')).resolve(`${name}/package.json`);
    return JSON.parse(readFileSync(manifest, 'utf8')).version;
  } catch {
    return null;
  }
}

/** The machine's own Node, outside of node_modules, whose addons can still be built. */
function olderNode(): string | null {
  const folders = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'));
  return folders.map((folder) => join(folder, 'node')).find((file) => existsSync(file)) ?? null;
}
