/**
 * The one configuration object of a server: plain frozen values, every default filled in and every check done,
 * so that whoever receives it (any thread: it can be posted) never looks at a file, a flag or a default again.
 * Read once at start-up on the main thread.
 */
import { resolve } from 'node:path';
import { ConfigFailure } from '../../base/failure.ts';
import { type HostPort, hostPortText, isWildcard } from '../../wire/host-port.ts';
import { type ConfigFiles, nodeConfigFiles } from './config-files.ts';
import { type EnsembleConfig, type EnsembleReading, readEnsemble } from './ensemble-config.ts';
import type { Notice } from './notices.ts';
import { INT_MAX } from './setting.ts';
import { type ConfigSources, SettingValues } from './setting-values.ts';

/** How agents are spread over threads; `auto` lets the number of cores decide. */
export const THREADING_MODES = ['auto', 'shared', 'pipeline', 'dedicated'] as const;
export type ThreadingMode = (typeof THREADING_MODES)[number];

export const SNAPSHOT_COMPRESSIONS = ['none', 'gz', 'snappy'] as const;
export type SnapshotCompression = (typeof SNAPSHOT_COMPRESSIONS)[number];

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const KIB = 1024;
const MIB = 1024 * KIB;
/** Fewer snapshots leave nothing to fall back on when the newest is damaged. */
const RETAINED_MIN = 3;
const SNAP_COUNT_MIN = 2;
/** A znode is one block of the store and one record of the log: at most 64 MiB, with what is around its data. */
const FRAME_BYTES_LIMIT = 60 * MIB;
/** Java's name of the algorithm to Node's. */
const DIGEST_ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['SHA1', 'sha1'],
  ['SHA-1', 'sha1'],
  ['SHA-224', 'sha224'],
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
  ['MD5', 'md5'],
]);

export interface ServerConfig {
  // --- identity and listener ---------------------------------------------------------------------------------
  /** Top byte of new session ids: `myid`, and alone 1, as Apache's. */
  readonly serverId: number;
  /** Null: this server is alone. */
  readonly ensemble: EnsembleConfig | null;
  /** 0 = the system chooses a free port. */
  readonly clientPort: number;
  /** null = every interface. */
  readonly clientPortAddress: string | null;
  /** -1 = the system's default. */
  readonly clientPortListenBacklog: number;
  readonly clientTcpKeepAlive: boolean;
  /** Connections per source address; 0 = no limit. */
  readonly maxClientCnxns: number;
  /** Connections in all; 0 = no limit. */
  readonly maxCnxns: number;
  /** A connection that has not opened a session by then is closed. */
  readonly sessionlessTimeoutMs: number;

  // --- sessions ----------------------------------------------------------------------------------------------
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** Of an ensemble: without a leader clients that have asked for it may read. */
  readonly readOnlyMode: boolean;
  /** Of an ensemble: new sessions are their server's alone; who wants an ephemeral may get one of all servers. */
  readonly localSessionsEnabled: boolean;
  readonly localSessionsUpgradingEnabled: boolean;

  // --- storage -----------------------------------------------------------------------------------------------
  /** Absolute, without `version-2`. */
  readonly dataDir: string;
  /** Absolute, without `version-2`; equals `dataDir` unless set. */
  readonly dataLogDir: string;
  readonly datadirAutocreate: boolean;
  readonly dbAutocreate: boolean;
  readonly snapCount: number;
  /** 0 = off. */
  readonly snapSizeLimitBytes: number;
  /** 0 = off. */
  readonly txnLogSizeLimitBytes: number;
  readonly preAllocBytes: number;
  readonly forceSync: boolean;
  readonly fsyncWarningMs: number;
  /** Group commit: how long a write may wait for company; 0 = sync as soon as the queue is empty. */
  readonly flushDelayMs: number;
  readonly maxWriteQueuePollTimeMs: number;
  readonly maxBatchSize: number;
  readonly snapshotCompression: SnapshotCompression;
  readonly snapshotTrustEmpty: boolean;
  readonly digestEnabled: boolean;
  readonly closeSessionTxnEnabled: boolean;
  readonly autopurgeSnapRetainCount: number;
  /** 0 = off. */
  readonly autopurgePurgeIntervalMs: number;

  // --- limits ------------------------------------------------------------------------------------------------
  readonly globalOutstandingLimit: number;
  /** jute.maxbuffer: the largest request frame. */
  readonly frameBytesMax: number;
  /** jute.maxbuffer.extrasize: slack for records inside a frame. */
  readonly juteExtraBytes: number;
  readonly enforceQuota: boolean;
  /** Only the error of a reconfig request depends on it. */
  readonly reconfigEnabled: boolean;
  readonly extendedTypesEnabled: boolean;
  readonly containerCheckIntervalMs: number;
  readonly containerMaxPerMinute: number;
  /** 0 = a container that never had children is kept. */
  readonly containerMaxNeverUsedMs: number;

  // --- security ----------------------------------------------------------------------------------------------
  readonly skipAcl: boolean;
  /** `<user>:<base64 digest>`, the user usually `super`; null = no super user. */
  readonly superDigest: string | null;
  readonly digestAuthEnabled: boolean;
  /** As `node:crypto` names it: sha1, sha256, ... */
  readonly digestAlg: string;
  /** Lower-case words; `*` enables all. `srvr` needs no entry. */
  readonly fourLetterWordsWhitelist: readonly string[];

  // --- ringkeeper's own --------------------------------------------------------------------------------------
  readonly threadingMode: ThreadingMode;
  /** 0 = chosen from the number of cores. */
  readonly ioThreads: number;
  /** Powers of two, each >= 4 frames. */
  readonly requestRingBytes: number;
  readonly replyRingBytes: number;
  readonly proposalRingBytes: number;
  readonly storeBytesMax: number;
  readonly watchBytesPerConnectionMax: number;
  readonly watchBytesMax: number;
  /** A snapshot without progress for this long is given up. */
  readonly snapshotStallMs: number;
  /** The log is written past the page cache where the file system can. */
  readonly directIo: boolean;
  /** Start although records of the log are missing and may have held acknowledged writes. */
  readonly acceptMissingRecords: boolean;
  readonly replyBacklogBytesMax: number;
  readonly unreadBytesMax: number;
  readonly connectionWindowRequests: number;
  readonly connectionWindowBytes: number;
  /** A learner that loses its leader keeps its clients for the next one. */
  readonly keepClientsOnLeaderChange: boolean;
  readonly logLevel: LogLevel;
}

/** @throws ConfigFailure naming place, key, value and what is allowed. */
export function readServerConfig(
  sources: ConfigSources,
  files: ConfigFiles = nodeConfigFiles,
): {
  readonly config: ServerConfig;
  readonly notices: readonly Notice[];
} {
  const values = new SettingValues(sources);
  const directories = readDirectories(values);
  const reading = readEnsemble(values, files, directories.dataDir);
  const config: ServerConfig = {
    serverId: reading.ensemble?.sid ?? 1,
    ensemble: reading.ensemble,
    ...readListener(values, reading),
    ...readSessions(values, reading.ensemble !== null),
    ...directories,
    ...readLog(values),
    ...readSnapshots(values),
    ...readLimits(values),
    ...readSecurity(values),
    ...readRings(values),
  };
  Object.freeze(config.fourLetterWordsWhitelist);
  if (config.ensemble !== null) Object.freeze(config.ensemble);
  return { config: Object.freeze(config), notices: values.notices.list };
}

function readListener(values: SettingValues, { ensemble, client }: EnsembleReading) {
  const given = values.isGiven('clientPort');
  if (!given && client === null) {
    const lost = values.isGiven('clientPortAddress')
      ? 'clientPortAddress is set but clientPort is not'
      : 'clientPort is not set';
    throw new ConfigFailure(`${lost}: add a line such as clientPort=2181, or the flag --client-port 2181`);
  }
  const address = (values.text('clientPortAddress') || null)?.replace(/^\[(.*)\]$/, '$1') ?? null;
  if (given && ensemble !== null && client !== null) checkSameClient(values, address, client);
  // Alone the key wins over the line; in an ensemble clients are told what the line says.
  const isFromLine = client !== null && (!given || ensemble !== null) && !isWildcard(client.host);
  return {
    clientPort: given ? values.int('clientPort') : client!.port,
    clientPortAddress: address ?? (isFromLine ? client.host : null),
    clientPortListenBacklog: values.int('clientPortListenBacklog'),
    clientTcpKeepAlive: values.switch('clientTcpKeepAlive'),
    maxClientCnxns: Math.max(0, values.int('maxClientCnxns')),
    maxCnxns: Math.max(0, values.int('maxCnxns')),
    sessionlessTimeoutMs: values.int('nio.sessionlessCnxnTimeout'),
  };
}

/** Clients are told where the line says, so that is where this server must be. */
function checkSameClient(values: SettingValues, address: string | null, client: HostPort): void {
  const isSame = values.int('clientPort') === client.port && (address === null || address === client.host);
  if (!isSame)
    values.refuse('clientPort', `this server's line says ${hostPortText(client)}; remove one of the two`);
}

function readSessions(values: SettingValues, isMember: boolean) {
  const tickTimeMs = values.int('tickTime');
  const shortest = values.int('minSessionTimeout');
  const longest = values.int('maxSessionTimeout');
  const minSessionTimeoutMs = shortest === -1 ? Math.min(2 * tickTimeMs, INT_MAX) : shortest;
  const maxSessionTimeoutMs = longest === -1 ? Math.min(20 * tickTimeMs, INT_MAX) : longest;
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    const key = longest === -1 ? 'minSessionTimeout' : 'maxSessionTimeout';
    values.refuse(
      key,
      `minSessionTimeout (${minSessionTimeoutMs} ms) must not be longer than maxSessionTimeout (${maxSessionTimeoutMs} ms)`,
    );
  }
  return {
    tickTimeMs,
    minSessionTimeoutMs,
    maxSessionTimeoutMs,
    readOnlyMode: values.switch('readonlymode.enabled'),
    localSessionsEnabled: values.bool('localSessionsEnabled') && isMember,
    localSessionsUpgradingEnabled: values.bool('localSessionsUpgradingEnabled') && isMember,
  };
}

function readDirectories(values: SettingValues) {
  const dataDir = values.text('dataDir') ?? '';
  if (dataDir === '') {
    throw new ConfigFailure(
      'dataDir is not set: add a line such as dataDir=/var/lib/zookeeper, or the flag --data-dir',
    );
  }
  return {
    dataDir: resolve(dataDir),
    dataLogDir: resolve(values.text('dataLogDir') || dataDir),
    datadirAutocreate: values.switch('datadir.autocreate'),
    dbAutocreate: values.switch('db.autocreate'),
  };
}

function readLog(values: SettingValues) {
  const flushDelayMs = values.int('flushDelay');
  return {
    txnLogSizeLimitBytes: Math.max(0, values.int('txnLogSizeLimitInKb')) * KIB,
    preAllocBytes: values.int('preAllocSize') * KIB,
    forceSync: values.yesNo('forceSync'),
    fsyncWarningMs: values.int('fsync.warningthresholdms'),
    flushDelayMs,
    maxWriteQueuePollTimeMs: values.intOr('maxWriteQueuePollTime', Math.floor(flushDelayMs / 3)),
    maxBatchSize: values.int('maxBatchSize'),
  };
}

function readSnapshots(values: SettingValues) {
  const retained = values.int('autopurge.snapRetainCount');
  if (retained < RETAINED_MIN) {
    values.adjusted(
      'autopurge.snapRetainCount',
      `is too few to recover from a bad snapshot: ${RETAINED_MIN} are kept`,
    );
  }
  const compression = values.choice('snapshot.compression.method', ['', 'gz', 'snappy']);
  const snapCount = values.int('snapCount');
  if (snapCount < SNAP_COUNT_MIN) values.adjusted('snapCount', `is too low: ${SNAP_COUNT_MIN} is used`);
  return {
    snapCount: Math.max(snapCount, SNAP_COUNT_MIN),
    snapSizeLimitBytes: Math.max(0, values.int('snapSizeLimitInKb')) * KIB,
    snapshotCompression: compression === '' ? ('none' as const) : compression,
    snapshotStallMs: values.int('ringkeeper.snapshotStallMs'),
    snapshotTrustEmpty: values.switch('snapshot.trust.empty'),
    digestEnabled: values.switch('digest.enabled'),
    closeSessionTxnEnabled: values.switch('closeSessionTxn.enabled'),
    autopurgeSnapRetainCount: Math.max(retained, RETAINED_MIN),
    autopurgePurgeIntervalMs: values.durationMs('autopurge.purgeInterval'),
  };
}

function readLimits(values: SettingValues) {
  const frameBytesMax = readFrameBytesMax(values);
  if (frameBytesMax < values.int('jute.maxbuffer'))
    values.adjusted('jute.maxbuffer', `is more than one request can bring: ${FRAME_BYTES_LIMIT} is used`);
  return {
    frameBytesMax,
    juteExtraBytes: values.intOr('jute.maxbuffer.extrasize', frameBytesMax),
    globalOutstandingLimit: values.int('globalOutstandingLimit'),
    enforceQuota: values.switch('enforceQuota'),
    reconfigEnabled: values.bool('reconfigEnabled'),
    extendedTypesEnabled: values.switch('extendedTypesEnabled'),
    containerCheckIntervalMs: values.int('znode.container.checkIntervalMs'),
    containerMaxPerMinute: values.int('znode.container.maxPerMinute'),
    containerMaxNeverUsedMs: values.int('znode.container.maxNeverUsedIntervalMs'),
    storeBytesMax: values.int('ringkeeper.storeBytesMax'),
    watchBytesPerConnectionMax: values.int('ringkeeper.watchBytesPerConnectionMax'),
    watchBytesMax: values.int('ringkeeper.watchBytesMax'),
    directIo: values.switch('ringkeeper.directIo'),
    acceptMissingRecords: values.switch('ringkeeper.acceptMissingRecords'),
    replyBacklogBytesMax: values.int('ringkeeper.replyBacklogBytesMax'),
    unreadBytesMax: values.int('ringkeeper.unreadBytesMax'),
    connectionWindowRequests: values.int('ringkeeper.connectionWindowRequests'),
    connectionWindowBytes: values.int('ringkeeper.connectionWindowBytes'),
    keepClientsOnLeaderChange: values.switch('ringkeeper.keepClientsOnLeaderChange'),
  };
}

/** Operators set it far too high to be rid of it; what can be served is served. */
function readFrameBytesMax(values: SettingValues): number {
  return Math.min(values.int('jute.maxbuffer'), FRAME_BYTES_LIMIT);
}

function readSecurity(values: SettingValues) {
  const superDigest = values.text('DigestAuthenticationProvider.superDigest');
  if (superDigest !== null && !/^[^:]+:[A-Za-z0-9+/]+={0,2}$/.test(superDigest)) {
    values.refuse(
      'DigestAuthenticationProvider.superDigest',
      'allowed: super:<base64 digest of super:password>, or another user in place of super',
    );
  }
  const algorithm = values.text('DigestAuthenticationProvider.digestAlg')!;
  const digestAlg = DIGEST_ALGORITHMS.get(algorithm.toUpperCase());
  if (digestAlg === undefined) {
    values.refuse(
      'DigestAuthenticationProvider.digestAlg',
      `allowed: ${[...DIGEST_ALGORITHMS.keys()].join(', ')}`,
    );
  }
  return {
    skipAcl: values.yesNo('skipACL'),
    superDigest,
    digestAuthEnabled: values.switch('DigestAuthenticationProvider.enabled'),
    digestAlg,
    fourLetterWordsWhitelist: values.list('4lw.commands.whitelist'),
  };
}

function readRings(values: SettingValues) {
  return {
    threadingMode: values.choice('ringkeeper.threadingMode', THREADING_MODES),
    ioThreads: values.int('ringkeeper.ioThreads'),
    requestRingBytes: ringBytes(values, 'ringkeeper.requestRingBytes', 4, 4 * MIB),
    replyRingBytes: ringBytes(values, 'ringkeeper.replyRingBytes', 4, 4 * MIB),
    proposalRingBytes: ringBytes(values, 'ringkeeper.proposalRingBytes', 8, 8 * MIB),
    logLevel: values.choice('ringkeeper.logLevel', LOG_LEVELS),
  };
}

/** A ring must hold several of the largest frames, or one large request would stop everybody behind it. */
function ringBytes(
  values: SettingValues,
  key: 'ringkeeper.requestRingBytes' | 'ringkeeper.replyRingBytes' | 'ringkeeper.proposalRingBytes',
  frames: number,
  bytesMin: number,
): number {
  const framesBytes = frames * readFrameBytesMax(values);
  const bytes = values.int(key);
  if (bytes === 0) return 2 ** Math.ceil(Math.log2(Math.max(bytesMin, framesBytes)));
  if (bytes < framesBytes || !Number.isInteger(Math.log2(bytes))) {
    values.refuse(
      key,
      `allowed: 0, or a power of two of at least ${frames} × jute.maxbuffer = ${framesBytes} bytes`,
    );
  }
  return bytes;
}
