/** A machine of the ensemble, with what the run knows of it. */
import type { ServerConfig } from '../../../src/server/config/server-config.ts';
import { EpochKind, readEpoch } from '../../../src/storage/epoch-files.ts';
import { MemoryDisk } from '../../storage/support/memory-disk.ts';
import { SimServer } from '../sim-server.ts';
import type { Mischief } from '../variants.ts';
import type { World } from '../world.ts';
import type { Witness } from './ensemble-judge.ts';
import type { PeerHost } from './peer-network.ts';

export class EnsembleMember {
  readonly name: string;
  readonly sid: number;
  readonly isVoter: boolean;
  readonly server: SimServer;
  readonly peers: PeerHost;
  readonly witness: Witness;
  /** Its disk was made to fail: it may end. */
  mayEnd = false;
  /** Somebody else starts it again. */
  isHeld = false;
  private readonly config: ServerConfig;

  constructor(
    world: World,
    variant: Mischief,
    sid: number,
    config: ServerConfig,
    peers: PeerHost,
    witness: Witness,
  ) {
    this.sid = sid;
    this.name = witness.name;
    this.isVoter = witness.isVoter;
    this.config = config;
    this.peers = peers;
    this.witness = witness;
    this.server = new SimServer(world, variant, witness, this.name, peers);
  }

  start(): void {
    const { disk } = this.server;
    disk.syncsLeft = Number.POSITIVE_INFINITY;
    disk.bytesFree = Number.POSITIVE_INFINITY;
    this.mayEnd = false;
    this.server.start(this.config);
  }

  /** kill -9. */
  crash(): void {
    this.server.crash();
    this.witness.forgetHost();
  }

  powerLoss(): void {
    this.server.powerLoss();
    this.witness.forgetHost();
  }

  /** Another disk, and nothing on it. Only while it is down. */
  wipe(): void {
    this.server.disk = new MemoryDisk();
    this.witness.head = 0;
  }

  get isInStep(): boolean {
    const { host } = this.witness;
    return host !== null && this.server.isRunning && host['incarnations'].surroundings.role.isInStep;
  }

  /** Of its log, as its server believes. */
  get durableZxid(): number {
    return this.witness.host?.['logPort'].durableZxid ?? 0;
  }

  get acceptedEpoch(): number {
    return this.epochOnDisk(EpochKind.accepted);
  }

  get currentEpoch(): number {
    return this.epochOnDisk(EpochKind.current);
  }

  private epochOnDisk(kind: EpochKind): number {
    const { disk } = this.server;
    if (disk.stat('/data/version-2')?.directory !== true) return 0;
    return readEpoch(disk, '/data/version-2', kind) ?? 0;
  }

  get role(): string {
    const { host } = this.witness;
    if (host === null || !this.server.isRunning) return 'down';
    const { role } = host['incarnations'].surroundings;
    return role.isInStep ? role.name : 'looking';
  }
}
