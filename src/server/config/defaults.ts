/**
 * The one table of every configuration key: Apache's (3.8 to 3.10) and ringkeeper's own. The parser, the checks,
 * the notices at start-up and the reference in the README all read it; a default stands nowhere else.
 *
 * Order is the order of the reference. Columns: key, Java property, type, unit, default, effect, least, greatest.
 */
import { FRAME_BYTES_MAX_DEFAULT } from '../../wire/limits.ts';
import { ensemble, FILE, INT_MAX, notObeyed, type Setting, supported, ZK } from './setting.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const noEffectHere = notObeyed('accepted', 'tunes how Apache does it; here it is done in one way');
const javaOnly = notObeyed('accepted', 'tunes a part that only the Java server has');
const threads = notObeyed('accepted', 'threads are set by ringkeeper.threadingMode and ringkeeper.ioThreads');
const noCache = notObeyed(
  'accepted',
  'reads are copied straight out of the store; there is no cache to size',
);
const noTls = notObeyed('unsupported', 'this version has no TLS');
const noSasl = notObeyed('unsupported', 'this version has no SASL or Kerberos');
const noAdmin = notObeyed('unsupported', 'this version has no HTTP admin server; four-letter words work');
const noMetrics = notObeyed(
  'unsupported',
  'this version has no metrics endpoint; the four-letter word mntr works',
);
const noThrottle = notObeyed(
  'unsupported',
  'load is bounded per connection instead: ringkeeper.connectionWindowRequests and connectionWindowBytes',
);
const noAudit = notObeyed('unsupported', 'this version writes no audit log');
const noPlugin = notObeyed(
  'unsupported',
  'Java classes cannot be loaded; schemes here are digest, ip and world',
);

// biome-ignore format: a table is read in columns
export const SETTINGS = [
  // --- basic ---------------------------------------------------------------------------------------------------
  supported('dataDir', FILE, 'path', '', null, 'required; snapshots go to `<dataDir>/version-2`'),
  supported('dataLogDir', FILE, 'path', '', null, 'transaction logs go to `<dataLogDir>/version-2`; default: dataDir'),
  supported('clientPort', FILE, 'port', '', null, 'required; where clients connect; 0 = the system chooses a free port'),
  supported('clientPortAddress', FILE, 'text', '', null, 'address to listen on; default: every interface'),
  noTls('secureClientPort', FILE, 'port', '', null),
  noTls('secureClientPortAddress', FILE, 'text', '', null),
  noTls('client.portUnification', ZK, 'switch', '', 'false'),
  supported('tickTime', FILE, 'int', 'ms', '3000', 'base unit of session timeouts and of expiry', 1),
  supported('minSessionTimeout', FILE, 'int', 'ms', '-1', 'shortest session timeout granted; -1 = 2 × tickTime', -1),
  supported('maxSessionTimeout', FILE, 'int', 'ms', '-1', 'longest session timeout granted; -1 = 20 × tickTime', -1),
  supported('maxClientCnxns', FILE, 'int', '', '60', 'connections from one address; 0 = no limit', -INT_MAX - 1),
  supported('maxCnxns', ZK, 'int', '', '0', 'connections in all; 0 = no limit', -INT_MAX - 1),
  supported('clientPortListenBacklog', FILE, 'int', '', '-1', "connections waiting to be accepted; -1 = the system's default", -1, 65535),
  supported('clientTcpKeepAlive', ZK, 'switch', '', 'false', 'TCP keep-alive on client sockets'),
  supported('nio.sessionlessCnxnTimeout', ZK, 'int', 'ms', '10000', 'a connection that opened no session by then is closed', 1),
  javaOnly('serverCnxnFactory', ZK, 'text', '', null),
  threads('nio.numSelectorThreads', ZK, 'int', '', null),
  threads('nio.numWorkerThreads', ZK, 'int', '', null),
  javaOnly('nio.directBufferBytes', ZK, 'int', 'bytes', '65536'),
  javaOnly('nio.shutdownTimeout', ZK, 'int', 'ms', '5000'),
  ensemble('localSessionsEnabled', FILE, 'bool', '', 'false', 'a new session is known to its server only, costs no transaction and cannot move; the same on all servers'),
  ensemble('localSessionsUpgradingEnabled', FILE, 'bool', '', 'false', 'such a session becomes one of all servers when it creates an ephemeral; otherwise that is refused'),

  // --- storage -------------------------------------------------------------------------------------------------
  supported('snapCount', ZK, 'int', 'txns', '100000', 'snapshot after a random count between half of it and all of it', -INT_MAX - 1),
  supported('snapSizeLimitInKb', ZK, 'long', 'KiB', '4194304', 'the same by bytes of log; 0 or less = off', -INT_MAX, 8 * GIB),
  supported('txnLogSizeLimitInKb', ZK, 'long', 'KiB', '-1', 'start a new log file at this size; 0 or less = off', -INT_MAX, 8 * GIB),
  supported('preAllocSize', ZK, 'long', 'KiB', '65536', 'log files grow by this much at a time', 0, 4 * MIB),
  supported('forceSync', ZK, 'yes-no', '', 'yes', '`no` skips fdatasync: faster, and acknowledged writes can be lost'),
  supported('fsync.warningthresholdms', ZK, 'int', 'ms', '1000', 'a slower sync is logged as a warning'),
  supported('flushDelay', ZK, 'int', 'ms', '0', 'how long a write may wait for others before the sync; 0 = not at all'),
  supported('maxWriteQueuePollTime', ZK, 'int', 'ms', null, 'longest wait for the next write while delaying; default: flushDelay ÷ 3'),
  supported('maxBatchSize', ZK, 'int', 'txns', '1000', 'most transactions under one sync'),
  noEffectHere('commitLogCount', ZK, 'int', '', '500'),
  noEffectHere('snapshotSizeFactor', ZK, 'decimal', '', '0.33'),
  supported('snapshot.compression.method', ZK, 'text', '', '', 'empty, `gz` or `snappy`'),
  supported('snapshot.trust.empty', ZK, 'switch', '', 'false', 'start although logs exist without any snapshot'),
  notObeyed('accepted', 'snapshots are written as Apache 3.8 does, without that section; reading copes with both')('serializeLastProcessedZxid.enabled', ZK, 'switch', '', 'true'),
  supported('digest.enabled', ZK, 'switch', '', 'true', 'write and check digests of the tree'),
  supported('closeSessionTxn.enabled', ZK, 'switch', '', 'true', 'log which ephemeral nodes go with a closed session'),
  supported('autopurge.snapRetainCount', FILE, 'int', '', '3', 'snapshots kept by the purge, at least 3', -INT_MAX - 1),
  supported('autopurge.purgeInterval', FILE, 'duration', 'hours', '0', 'time between purges, also with suffix ms, s, m, h or d; 0 = never'),
  supported('datadir.autocreate', ZK, 'switch', '', 'true', 'create missing data directories'),
  supported('db.autocreate', ZK, 'switch', '', 'true', '`false`: an empty database needs a file `initialize` in dataDir'),

  // --- ensemble ------------------------------------------------------------------------------------------------
  ensemble('server.<n>', FILE, 'text', '', null, '`host:quorum port:election port[:participant or :observer][;[client host:]client port]` of each member, several addresses of one joined by `|`; one participant alone means standalone'),
  ensemble('group.<n>', FILE, 'text', '', null, 'hierarchical quorum: ids of a group, joined by `:`'),
  ensemble('weight.<n>', FILE, 'text', '', null, 'weight of a server in its group; default: 1'),
  ensemble('dynamicConfigFile', FILE, 'path', '', null, 'the file that holds the lines of members instead'),
  supported('standaloneEnabled', FILE, 'bool', '', 'true', '`false`: one participant is an ensemble of one'),
  ensemble('peerType', FILE, 'text', '', 'participant', "`participant` or `observer`; the role in this server's line counts"),
  notObeyed('refused', 'only algorithm 3 exists')('electionAlg', FILE, 'int', '', '3'),
  notObeyed('unsupported', 'this version asks no oracle: a majority decides')('oraclePath', FILE, 'path', '', null),
  ensemble('initLimit', FILE, 'int', 'ticks', null, 'required: how long joining a leader may take'),
  ensemble('syncLimit', FILE, 'int', 'ticks', null, 'required: how long leader and follower may be silent'),
  ensemble('connectToLearnerMasterLimit', FILE, 'int', 'ticks', '0', 'how long connecting to a leader may take; 0 = initLimit'),
  ensemble('leaderServes', ZK, 'yes-no', '', 'yes', '`no`: the leader serves no clients'),
  noEffectHere('syncEnabled', 'zookeeper.observer.syncEnabled', 'bool', '', 'true'),
  notObeyed('unsupported', 'observers connect to the leader')('observerMasterPort', FILE, 'port', '', '0'),
  ensemble('observer.reconnectDelayMs', ZK, 'int', 'ms', '0', 'an observer waits up to this long before it connects'),
  ensemble('observer.election.DelayMs', ZK, 'int', 'ms', '200', 'an observer that lost its leader waits up to this long before it looks again'),
  supported('reconfigEnabled', FILE, 'bool', '', 'false', 'whether the membership may be changed; alone, which error such a request gets'),
  ensemble('quorumListenOnAllIPs', FILE, 'bool', '', 'false', "quorum and election port on every interface instead of the address in this server's line"),
  ensemble('cnxTimeout', ZK, 'int', 'ms', '5000', 'for connecting to an election port', 1),
  ensemble('quorumCnxnTimeoutMs', ZK, 'int', 'ms', '-1', 'for the first words on an election connection; -1 = tickTime × syncLimit', -1),
  ensemble('electionPortBindRetry', ZK, 'int', '', '3', 'how often an election port is tried that is in use, a second apart; 0 = for ever'),
  ensemble('tcpKeepAlive', ZK, 'switch', '', 'false', 'TCP keep-alive between servers'),
  ensemble('fastleader.minNotificationInterval', ZK, 'int', 'ms', '200', 'an election repeats itself after this long, then after twice that', 1),
  ensemble('fastleader.maxNotificationInterval', ZK, 'int', 'ms', '60000', 'and no less often than this', 1),
  ensemble('leader.maxTimeToWaitForEpoch', ZK, 'int', 'ms', '-1', 'a leader that waits for followers gives up after this long when any voter looks; -1 = only when it can get no quorum any more', -1),
  noEffectHere('leader.maxConcurrentSnapSyncs', ZK, 'int', '', '10'),
  noEffectHere('leader.maxConcurrentDiffSyncs', ZK, 'int', '', '100'),
  noEffectHere('leader.closeSocketAsync', ZK, 'switch', '', 'false'),
  noEffectHere('learner.closeSocketAsync', ZK, 'switch', '', 'false'),
  noEffectHere('learner.asyncSending', ZK, 'switch', '', 'false'),
  ensemble('multiAddress.enabled', ZK, 'switch', '', 'false', 'tell other servers all addresses of this one; servers before 3.6 do not understand it'),
  noEffectHere('multiAddress.reachabilityCheckEnabled', ZK, 'switch', '', 'true'),
  noEffectHere('multiAddress.reachabilityCheckTimeoutMs', ZK, 'int', 'ms', '1000'),
  noEffectHere('forward_learner_requests_to_commit_processor_disabled', ZK, 'switch', '', 'false'),
  noEffectHere('follower.skipLearnerRequestToNextProcessor', ZK, 'switch', '', 'false'),
  noEffectHere('leader.nodelay', 'leader.nodelay', 'switch', '', 'true'),
  noEffectHere('follower.nodelay', 'follower.nodelay', 'switch', '', 'true'),
  ensemble('readonlymode.enabled', 'readonlymode.enabled', 'switch', '', 'false', 'a server that has found no leader for two seconds, or tickTime if that is longer, serves clients that have asked for read-only'),
  javaOnly('commitProcessor.numWorkerThreads', ZK, 'int', '', null),
  javaOnly('commitProcessor.maxReadBatchSize', ZK, 'int', '', '-1'),
  javaOnly('commitProcessor.maxCommitBatchSize', ZK, 'int', '', '1'),
  javaOnly('commitProcessor.shutdownTimeout', ZK, 'int', 'ms', '5000'),

  // --- limits --------------------------------------------------------------------------------------------------
  supported('globalOutstandingLimit', ZK, 'int', 'requests', '16000', 'above it, connections with requests under way are not read until they drain (Apache: 1000)', 1),
  supported('jute.maxbuffer', 'jute.maxbuffer', 'int', 'bytes', String(FRAME_BYTES_MAX_DEFAULT), 'largest request frame; more than 62914560 can be asked for, and 62914560 is used', KIB),
  supported('jute.maxbuffer.extrasize', ZK, 'int', 'bytes', null, 'slack for a record inside a frame; default: jute.maxbuffer'),
  supported('enforceQuota', ZK, 'switch', '', 'false', 'refuse writes over a hard quota'),
  supported('extendedTypesEnabled', ZK, 'switch', '', 'false', 'allow nodes with a time to live'),
  notObeyed('unsupported', 'TTL nodes in the layout of 3.5.3 are not read')('emulate353TTLNodes', ZK, 'switch', '', 'false'),
  supported('znode.container.checkIntervalMs', 'znode.container.checkIntervalMs', 'int', 'ms', '60000', 'time between looks for empty containers and expired TTL nodes', 1),
  supported('znode.container.maxPerMinute', 'znode.container.maxPerMinute', 'int', '', '10000', 'most of them deleted in a minute', 1),
  supported('znode.container.maxNeverUsedIntervalMs', 'znode.container.maxNeverUsedIntervalMs', 'long', 'ms', '0', 'a container that never had a child goes after this time; 0 = never'),
  noThrottle('request_throttle_max_requests', ZK, 'int', '', '0'),
  noThrottle('request_throttle_stall_time', ZK, 'int', 'ms', '100'),
  noThrottle('request_throttle_drop_stale', ZK, 'switch', '', 'true'),
  noThrottle('request_stale_connection_check', ZK, 'switch', '', 'true'),
  noThrottle('request_stale_latency_check', ZK, 'switch', '', 'false'),
  noThrottle('request_throttler.shutdownTimeout', ZK, 'int', 'ms', '10000'),
  noThrottle('throttled_op_wait_time', ZK, 'int', 'ms', '0'),
  noThrottle('largeRequestMaxBytes', ZK, 'int', 'bytes', '104857600'),
  noThrottle('largeRequestThreshold', ZK, 'int', 'bytes', '-1'),
  noThrottle('connection_throttle_tokens', ZK, 'int', '', '0'),
  noThrottle('connection_throttle_fill_time', ZK, 'int', 'ms', '1'),
  noThrottle('connection_throttle_fill_count', ZK, 'int', '', '1'),
  noThrottle('connection_throttle_freeze_time', ZK, 'int', '', '-1'),
  noThrottle('connection_throttle_drop_increase', ZK, 'decimal', '', '0.02'),
  noThrottle('connection_throttle_drop_decrease', ZK, 'decimal', '', '0.002'),
  noThrottle('connection_throttle_decrease_ratio', ZK, 'decimal', '', '0'),
  noThrottle('connection_throttle_weight_enabled', ZK, 'switch', '', 'false'),
  noThrottle('connection_throttle_global_session_weight', ZK, 'int', '', '3'),
  noThrottle('connection_throttle_local_session_weight', ZK, 'int', '', '1'),
  noThrottle('connection_throttle_renew_session_weight', ZK, 'int', '', '2'),
  noCache('maxResponseCacheSize', ZK, 'int', '', '400'),
  noCache('maxGetChildrenResponseCacheSize', ZK, 'int', '', '400'),
  javaOnly('intBufferStartingSizeBytes', ZK, 'int', 'bytes', '1024'),
  javaOnly('watchManagerName', ZK, 'text', '', null),
  javaOnly('watcherCleanThreadsNum', ZK, 'int', '', '2'),
  javaOnly('watcherCleanThreshold', ZK, 'int', '', '1000'),
  javaOnly('watcherCleanIntervalInSeconds', ZK, 'int', 's', '600'),
  javaOnly('maxInProcessingDeadWatchers', ZK, 'int', '', '-1'),
  javaOnly('bitHashCacheSize', ZK, 'int', '', '10'),

  // --- security ------------------------------------------------------------------------------------------------
  supported('skipACL', ZK, 'yes-no', '', 'no', '`yes` checks no ACL at all'),
  supported('DigestAuthenticationProvider.superDigest', ZK, 'secret', '', null, '`super:<base64 digest of super:password>`: who proves it may do anything'),
  supported('DigestAuthenticationProvider.enabled', ZK, 'switch', '', 'true', 'the auth scheme `digest`'),
  supported('DigestAuthenticationProvider.digestAlg', ZK, 'text', '', 'SHA1', 'its algorithm: SHA1, SHA-224, SHA-256, SHA-384, SHA-512 or MD5'),
  notObeyed('unsupported', 'every read checks its ACL when it is executed')('enableEagerACLCheck', ZK, 'switch', '', 'false'),
  notObeyed('refused', 'this version cannot turn away clients that did not authenticate')('enforce.auth.enabled', ZK, 'switch', '', 'false'),
  notObeyed('unsupported', 'goes with enforce.auth.enabled')('enforce.auth.schemes', ZK, 'list', '', null),
  notObeyed('refused', 'this version cannot turn away clients that did not authenticate')('sessionRequireClientSASLAuth', ZK, 'switch', '', 'false'),
  noSasl('allowSaslFailedClients', ZK, 'switch', '', 'false'),
  noTls('X509AuthenticationProvider.superUser', ZK, 'text', '', null),
  noSasl('superUser', ZK, 'text', '', null),
  noSasl('superUser.*', ZK, 'text', '', null),
  noSasl('SASLAuthenticationProvider.superPassword', ZK, 'secret', '', null),
  noSasl('letAnySaslUserDoX', ZK, 'text', '', null),
  noPlugin('authProvider.*', ZK, 'text', '', null),
  notObeyed('unsupported', 'the auth scheme `ensemble` is not known here')('ensembleAuthName', ZK, 'list', '', null),
  noSasl('sasl.serverconfig', ZK, 'text', '', 'Server'),
  noSasl('kerberos.removeHostFromPrincipal', ZK, 'switch', '', 'false'),
  noSasl('kerberos.removeRealmFromPrincipal', ZK, 'switch', '', 'false'),
  noSasl('kerberos.canonicalizeHostNames', ZK, 'switch', '', 'false'),
  noSasl('quorum.auth.*', FILE, 'text', '', null),
  noEffectHere('quorum.cnxn.threads.size', FILE, 'int', '', '20'),
  noTls('ssl.*', ZK, 'secret', '', null),
  noTls('sslQuorum', FILE, 'bool', '', 'false'),
  noTls('portUnification', FILE, 'bool', '', 'false'),
  noTls('sslQuorumReloadCertFiles', FILE, 'bool', '', 'false'),
  noTls('client.certReload', ZK, 'switch', '', 'false'),
  javaOnly('fips-mode', ZK, 'switch', '', 'true'),
  noTls('netty.server.outstandingHandshake.limit', ZK, 'int', '', '-1'),
  noTls('netty.server.earlyDropSecureConnectionHandshakes', ZK, 'switch', '', 'false'),
  javaOnly('netty.advancedFlowControl.enabled', ZK, 'switch', '', 'false'),

  // --- operations ----------------------------------------------------------------------------------------------
  supported('4lw.commands.whitelist', ZK, 'list', '', 'srvr', 'four-letter words that are answered, comma-separated; `*` = all; srvr always is'),
  noAdmin('admin.*', ZK, 'text', '', null),
  noAdmin('IPAuthenticationProvider.usexforwardedfor', ZK, 'switch', '', 'false'),
  noMetrics('metricsProvider.*', FILE, 'text', '', null),
  javaOnly('jvm.pause.monitor', FILE, 'bool', '', 'false'),
  javaOnly('jvm.pause.sleep.time.ms', FILE, 'int', 'ms', '500'),
  javaOnly('jvm.pause.info-threshold.ms', FILE, 'int', 'ms', '1000'),
  javaOnly('jvm.pause.warn-threshold.ms', FILE, 'int', 'ms', '10000'),
  noAudit('audit.enable', ZK, 'switch', '', 'false'),
  noAudit('audit.impl.class', ZK, 'text', '', null),
  javaOnly('messageTracker.Enabled', ZK, 'switch', '', 'false'),
  javaOnly('messageTracker.BufferSize', ZK, 'int', '', '10'),
  javaOnly('pathStats.*', ZK, 'text', '', null),

  // --- ringkeeper's own ----------------------------------------------------------------------------------------
  supported('ringkeeper.threadingMode', FILE, 'text', '', 'auto', '`shared` (io and core on one thread, log on its own), `pipeline` (three threads), `dedicated` (several io threads) or `auto` by number of cores'),
  supported('ringkeeper.ioThreads', FILE, 'int', '', '0', 'io threads in mode dedicated; 0 = by number of cores', 0, 64),
  supported('ringkeeper.requestRingBytes', FILE, 'int', 'bytes', '0', 'ring from an io thread to the core, a power of two; 0 = 4 frames, at least 4 MiB', 0, GIB),
  supported('ringkeeper.replyRingBytes', FILE, 'int', 'bytes', '0', 'ring back, a power of two; 0 = 4 frames, at least 4 MiB', 0, GIB),
  supported('ringkeeper.proposalRingBytes', FILE, 'int', 'bytes', '0', 'ring from the core to the log, a power of two; 0 = 8 frames, at least 8 MiB', 0, GIB),
  ensemble('ringkeeper.proposalLogBytes', FILE, 'int', 'bytes', '16777216', 'newest proposals that a leader keeps in memory for learners; who lags further is brought up from the disk; at least ringkeeper.proposalRingBytes', 64 * KIB),
  supported('ringkeeper.directIo', FILE, 'switch', '', 'true', 'write the transaction log past the page cache, where the file system can'),
  supported('ringkeeper.acceptMissingRecords', FILE, 'switch', '', 'false', 'start although records are missing in the log and nothing proves that they held no write; set it for one start only'),
  supported('ringkeeper.snapshotStallMs', FILE, 'int', 'ms', '60000', 'a snapshot without progress for this long is given up, let go of and tried again', 100),
  supported('ringkeeper.storeBytesMax', FILE, 'long', 'bytes', '8589934592', 'most memory for znodes', 64 * MIB, 32 * GIB),
  supported('ringkeeper.watchBytesPerConnectionMax', FILE, 'long', 'bytes', '134217728', 'watches of one connection, each charged 64 bytes and its path; a connection that asks for more is closed', 4 * MIB, 8 * GIB),
  supported('ringkeeper.watchBytesMax', FILE, 'long', 'bytes', '536870912', 'the same for all connections together; then the one with the most is closed', 4 * MIB, GIB),
  supported('ringkeeper.replyBacklogBytesMax', FILE, 'int', 'bytes', '1048576', 'replies a client may leave unread before its next request waits', 64 * KIB, GIB),
  supported('ringkeeper.unreadBytesMax', FILE, 'long', 'bytes', '536870912', 'memory for what all clients together leave unread; above it the greediest that does not read is closed', 16 * MIB, 64 * GIB),
  supported('ringkeeper.connectionWindowRequests', FILE, 'int', 'requests', '1000', 'requests of one connection under way at a time', 1, MIB),
  supported('ringkeeper.connectionWindowBytes', FILE, 'int', 'bytes', '1048576', 'the same by bytes; one frame is always admitted', 4 * KIB, GIB),
  ensemble('ringkeeper.keepClientsOnLeaderChange', FILE, 'switch', '', 'false', 'a server that loses its leader keeps its clients connected, and what they have asked, for the next one'),
  supported('ringkeeper.logLevel', FILE, 'text', '', 'info', 'trace, debug, info, warn, error, fatal or silent'),

] as const;

type Row = (typeof SETTINGS)[number];

/** Keys that `SettingValues` can be asked for, by type. */
export type SupportedKey<T extends Setting['type']> = Extract<
  Row,
  { readonly status: 'supported' | 'ensemble'; readonly type: T }
>['key'];

const byName = new Map<string, Setting>();
const families: Setting[] = [];
for (const row of SETTINGS as readonly Setting[]) {
  if (row.key.endsWith('*') || row.key.endsWith('<n>')) {
    families.push(row);
    continue;
  }
  byName.set(row.key, row);
  if (row.property !== null) byName.set(row.property, row);
}

/** The row that a key of the file, or a Java property, belongs to; null = unknown. */
export function findSetting(name: string): Setting | null {
  const row = byName.get(name);
  if (row !== undefined) return row;
  for (const family of families) {
    if (belongsTo(family.key, name)) return family;
    if (family.property !== null && belongsTo(family.property, name)) return family;
  }
  return null;
}

function belongsTo(pattern: string, name: string): boolean {
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1)) && name.length >= pattern.length;
  const stem = pattern.slice(0, pattern.indexOf('<'));
  return name.startsWith(stem) && /^\d+$/.test(name.slice(stem.length));
}

/** A key that differs from `name` by case only: the likeliest typing error. */
export function similarKey(name: string): string | null {
  const lower = name.toLowerCase();
  for (const key of byName.keys()) if (key.toLowerCase() === lower) return key;
  return null;
}
