/**
 * How the shell proves who it is and knows who answers: flags of ours, or the file of Apache's `-client-configuration`, whose
 * keys are those of Java's client. What the client here has no option for is refused with one line, where leaving it out
 * would make the connection another one than the file asks for; other keys mean nothing here and are passed over.
 *
 *     zookeeper.client.secure, zookeeper.ssl.*    ──▶ tls      PEM and PKCS12; no JKS
 *     zookeeper.sasl.*, a JAAS file               ──▶ sasl     DIGEST-MD5; no Kerberos
 *     zookeeper.request.timeout, jute.maxbuffer   ──▶ bounds
 */
import { readFileSync } from 'node:fs';
import { type ConnectOptions, saslDigest } from '../client/index.ts';
import { MalformedProperties, parseProperties } from '../wire/java-properties.ts';
import { ShellError, Status, usageError } from './command/failure.ts';
import { digestLogin } from './jaas.ts';

/** What of the options of `connect` comes from there. */
export type ClientConfiguration = Pick<
  ConnectOptions,
  'tls' | 'sasl' | 'requestTimeoutMs' | 'requestBytesMax' | 'replyBytesMax'
>;

/** Names of files. */
export interface SecurityFlags {
  /** Apache's: Java properties. */
  readonly clientConfiguration: string | null;
  readonly tls: boolean;
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  /** A JAAS file: its section `Client` says who we are. */
  readonly jaas: string | null;
}

type TlsFiles = Exclude<ConnectOptions['tls'], undefined | (() => unknown)>;

const SSL = 'zookeeper.ssl.';
const SECTION_DEFAULT = 'Client';
/** They make a connection safer than it would be without; nothing here does that. */
const REFUSED_IF_TRUE = [`${SSL}crl`, `${SSL}ocsp`, 'zookeeper.disableAutoWatchReset', 'zookeeper.fips-mode'];
const REFUSED: Readonly<Record<string, string>> = {
  [`${SSL}ciphersuites`]: 'names of OpenSSL are needed here; leave it out',
  [`${SSL}context.supplier.class`]: 'a class of Java; leave it out',
};
const PROTOCOLS: readonly string[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** @throws ShellError of one line that names the file, the key and what to do. */
export function readClientConfiguration(flags: SecurityFlags): ClientConfiguration {
  const { clientConfiguration: file, tlsCa, tlsCert, tlsKey, jaas } = flags;
  const wantsTls = flags.tls || tlsCa !== null || tlsCert !== null || tlsKey !== null;
  if (file !== null && wantsTls)
    throw usageError('-client-configuration and --tls… are two ways to say the same: use one of them');
  if ((tlsCert === null) !== (tlsKey === null)) throw usageError('--tls-cert and --tls-key belong together');
  if (file !== null) return new JavaConfiguration(file, jaas).read();
  const tls: TlsFiles = {
    ...(tlsCa === null ? {} : { ca: bytesOf(tlsCa) }),
    ...(tlsCert === null ? {} : { cert: bytesOf(tlsCert) }),
    ...(tlsKey === null ? {} : { key: bytesOf(tlsKey) }),
  };
  return { ...(wantsTls ? { tls } : {}), ...(jaas === null ? {} : saslOf(jaas, SECTION_DEFAULT)) };
}

class JavaConfiguration {
  private readonly file: string;
  private readonly jaas: string | null;
  private readonly values = new Map<string, string>();

  constructor(file: string, jaas: string | null) {
    this.file = file;
    this.jaas = jaas;
    try {
      for (const { key, value } of parseProperties(bytesOf(file).toString('latin1')))
        this.values.set(key, value);
    } catch (error) {
      if (!(error instanceof MalformedProperties)) throw error;
      throw usageError(`${file}, line ${error.lineNumber}: ${error.message}`);
    }
  }

  read(): ClientConfiguration {
    for (const key of REFUSED_IF_TRUE) if (this.isTrue(key)) this.refuse(key, 'there is no such option here');
    for (const [key, why] of Object.entries(REFUSED)) if (this.get(key) !== null) this.refuse(key, why);
    const requestTimeoutMs = this.number('zookeeper.request.timeout');
    const bytesMax = this.number('jute.maxbuffer');
    return {
      ...(this.isTrue('zookeeper.client.secure') ? { tls: this.tls() } : {}),
      ...this.sasl(),
      ...(requestTimeoutMs === null ? {} : { requestTimeoutMs }),
      ...(bytesMax === null ? {} : { requestBytesMax: bytesMax, replyBytesMax: bytesMax }),
    };
  }

  private tls(): TlsFiles {
    const versions = (this.get(`${SSL}enabledProtocols`) ?? this.get(`${SSL}protocol`) ?? '')
      .split(',')
      .filter((name) => name !== '')
      .sort();
    const unknown = versions.find((name) => !PROTOCOLS.includes(name));
    if (unknown !== undefined) this.refuse(`${SSL}enabledProtocols`, `there is no protocol "${unknown}"`);
    const between = { minVersion: versions[0], maxVersion: versions.at(-1) } as Pick<
      TlsFiles,
      'minVersion' | 'maxVersion'
    >;
    return {
      ...this.identity(),
      ...this.trust(),
      ...(versions.length === 0 ? {} : between),
      ...(this.isTrue(`${SSL}hostnameVerification`, true) ? {} : { checkServerIdentity: () => undefined }),
    };
  }

  /** Who we are. */
  private identity(): TlsFiles {
    const store = this.store('keyStore');
    if (store === null) return {};
    const { bytes, type, password } = store;
    const secret = password === null ? {} : { passphrase: password };
    return type === 'PEM' ? { key: bytes, cert: bytes, ...secret } : { pfx: bytes, ...secret };
  }

  /** Who is believed. */
  private trust(): TlsFiles {
    const store = this.store('trustStore');
    if (store === null) return {};
    if (store.type !== 'PEM')
      this.refuse(
        `${SSL}trustStore.location`,
        'certificates of authorities are read as PEM only: openssl pkcs12 -nokeys -in … -out ca.pem',
      );
    return { ca: store.bytes };
  }

  private store(which: 'keyStore' | 'trustStore'): Store | null {
    const prefix = `${SSL}${which}.`;
    const location = this.get(`${prefix}location`);
    if (location === null) return null;
    const type = (this.get(`${prefix}type`) ?? typeOf(location)).toUpperCase();
    if (type !== 'PEM' && type !== 'PKCS12')
      this.refuse(
        `${prefix}location`,
        `a store of type ${type} cannot be read here: keytool -importkeystore -deststoretype PKCS12, or PEM`,
      );
    const passwordFile = this.get(`${prefix}passwordPath`);
    const password =
      passwordFile === null ? this.get(`${prefix}password`) : bytesOf(passwordFile).toString('utf8').trim();
    return { bytes: bytesOf(location), type, password };
  }

  private sasl(): Pick<ClientConfiguration, 'sasl'> {
    const jaas = this.jaas ?? this.get('java.security.auth.login.config');
    if (jaas === null || !this.isTrue('zookeeper.sasl.client', true)) return {};
    return saslOf(jaas, this.get('zookeeper.sasl.clientconfig') ?? SECTION_DEFAULT);
  }

  private get(key: string): string | null {
    const value = this.values.get(key);
    return value === undefined || value === '' ? null : value;
  }

  private isTrue(key: string, otherwise = false): boolean {
    const value = this.get(key);
    return value === null ? otherwise : value.toLowerCase() === 'true';
  }

  private number(key: string): number | null {
    const text = this.get(key);
    if (text === null) return null;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value <= 0) this.refuse(key, `"${text}" is no number above 0`);
    return value;
  }

  private refuse(key: string, why: string): never {
    throw usageError(`${this.file}: ${key}: ${why}`);
  }
}

interface Store {
  readonly bytes: Buffer;
  readonly type: string;
  readonly password: string | null;
}

/** By the end of its name, as Java's client has it. */
function typeOf(location: string): string {
  if (/\.pem$/i.test(location)) return 'PEM';
  return /\.(p12|pfx)$/i.test(location) ? 'PKCS12' : /\.bcfks$/i.test(location) ? 'BCFKS' : 'JKS';
}

function saslOf(file: string, section: string): Pick<ClientConfiguration, 'sasl'> {
  const login = digestLogin(bytesOf(file).toString('utf8'), section);
  if (typeof login === 'string') throw usageError(`${file}: ${login}`);
  return { sasl: saslDigest(login.username, login.password) };
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ShellError(`${file}: cannot be read (${(error as Error).message})`, Status.usage);
  }
}
