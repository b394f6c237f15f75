/**
 * Several servers on this machine as one target: `apache:3`, `embedded:5+2` (observers), `mixed:2+1`. All of them start at once
 * and serve before the run begins; who of them ends by itself ends the run, as a single server would.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Address } from '../base/address.ts';
import { packageVersion } from '../base/package-root.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import { APACHE_HEAP, findApache, hasGcLog } from './apache-program.ts';
import { makeTempDir } from './child-server.ts';
import type { EnsembleMember } from './ensemble-member.ts';
import { type LocalEnsemble, makeLocalEnsemble } from './local-ensemble.ts';
import type { Target, TargetOptions, TargetServer } from './target.ts';
import type { TargetSpec } from './target-spec.ts';

type EnsembleSpec = Extract<TargetSpec, { kind: 'ensemble' }>;

/** A process that was killed has closed its connections a moment before it is seen to have ended. */
const END_MS_MAX = 500;

/** @throws ConfigFailure when a server does not start, or they do not come together */
export async function startEnsemble(spec: EnsembleSpec, options: TargetOptions): Promise<Target> {
  refuseServerArgs(spec, options.serverArgs);
  const kinds = [...spec.voters, ...spec.observers];
  const apache = kinds.includes('apache') ? await findApache(`--target "${spec.text}"`) : null;
  const tempDir = makeTempDir(options.tempParent);
  const target = new EnsembleTarget(spec, options, tempDir, apache);
  try {
    await target.start(apache !== null && hasGcLog(apache));
    return target;
  } catch (error) {
    await target.stop();
    const why = options.abort?.aborted === true ? 'interrupted meanwhile' : (error as Error).message;
    throw new ConfigFailure(`--target: "${spec.text}" - the servers do not start: ${why}`);
  }
}

function refuseServerArgs(spec: EnsembleSpec, serverArgs: readonly string[]): void {
  if (serverArgs.length === 0 || ![...spec.voters, ...spec.observers].includes('ringkeeper')) return;
  throw new ConfigFailure(
    `--server-arg: not with --target "${spec.text}" - allowed: settings behind it, ${spec.text}:key=value`,
  );
}

class EnsembleTarget implements Target {
  readonly name: string;
  readonly description: string;
  readonly isOurs = true;
  readonly dataDir: string;
  readonly javaVersion: string | null;
  readonly settings: Readonly<Record<string, string>>;
  servers: readonly TargetServer[] = [];
  failure: string | null = null;
  private readonly spec: EnsembleSpec;
  private readonly options: TargetOptions;
  private readonly tempDir: string;
  private ensemble: LocalEnsemble | null = null;
  private readonly onProcessExit = (): void => this.removeFiles();

  constructor(
    spec: EnsembleSpec,
    options: TargetOptions,
    tempDir: string,
    apache: { readonly label: string; readonly javaVersion: string } | null,
  ) {
    const given = { ...(options.extendedTypes ? { extendedTypesEnabled: 'true' } : {}), ...spec.settings };
    this.spec = spec;
    this.options = options;
    this.tempDir = tempDir;
    this.dataDir = join(tempDir, 'servers');
    this.name = spec.name;
    this.javaVersion = apache?.javaVersion ?? null;
    this.settings = { ...given, ...(apache === null ? {} : { heap: APACHE_HEAP }) };
    this.description = [
      shapeText(spec, apache?.label ?? ''),
      ...Object.entries(given).map(([key, value]) => `${key}=${value}`),
      ...options.serverArgs,
    ].join(' ');
    process.on('exit', this.onProcessExit);
  }

  get addresses(): readonly Address[] {
    return this.servers.map(({ address }) => address);
  }

  async start(withGcLog: boolean): Promise<void> {
    const { spec, options, tempDir } = this;
    const gcLog = withGcLog ? [`-Xlog:gc:file="${join(tempDir, 'gc-%p.log')}":timenanos:filecount=0`] : [];
    const { heap: _, ...settings } = this.settings;
    this.ensemble = await makeLocalEnsemble({
      ...{ voters: spec.voters, observers: spec.observers, clientPort: null },
      wantedBy: `--target "${spec.text}"`,
      directory: this.dataDir,
      settings,
      javaArgs: [...gcLog, ...options.serverArgs],
      onLine: () => {},
      onEnd: (_member, why) => {
        this.failure ??= why;
      },
    });
    this.servers = this.ensemble.members.map((member) => serverOf(member, withGcLog ? tempDir : null));
    this.ensemble.start();
    await this.ensemble.awaitServing(options.abort);
  }

  async whyNotServing(): Promise<string | null> {
    const started = performance.now();
    while (this.failure === null && performance.now() - started < END_MS_MAX) await delay(20);
    return this.failure;
  }

  async killLeader(): Promise<{ readonly name: string; readonly atMs: number } | null> {
    const leader = (await this.ensemble?.leader()) ?? null;
    if (leader === null) return null;
    const atMs = monotonicMs();
    await leader.kill();
    return { name: leader.name, atMs };
  }

  async stop(): Promise<void> {
    await this.ensemble?.stop();
    this.removeFiles();
    process.off('exit', this.onProcessExit);
  }

  private removeFiles(): void {
    rmSync(this.tempDir, { recursive: true, force: true });
  }
}

function serverOf(member: EnsembleMember, gcLogDir: string | null): TargetServer {
  const { name, address, plan } = member;
  return {
    name,
    address,
    get pid() {
      return member.pid;
    },
    get gcLogFile() {
      const { pid } = member;
      if (gcLogDir === null || plan.kind !== 'apache' || pid === null) return null;
      return join(gcLogDir, `gc-${pid}.log`);
    },
  };
}

/** `2 x ringkeeper 0.1.0 and 1 x zookeeper-3.8.0 (Debian) -Xmx1000m, 2 more as observers`. */
function shapeText({ voters, observers }: EnsembleSpec, apacheLabel: string): string {
  const labels = { ringkeeper: `ringkeeper ${packageVersion()}`, apache: `${apacheLabel} ${APACHE_HEAP}` };
  const parts = (['ringkeeper', 'apache'] as const).flatMap((kind) => {
    const count = voters.filter((voter) => voter === kind).length;
    return count === 0 ? [] : [`${count} x ${labels[kind]}`];
  });
  const count = observers.length;
  const watching = count === 0 ? '' : `, ${count} more as ${count === 1 ? 'observer' : 'observers'}`;
  return parts.join(' and ') + watching;
}
