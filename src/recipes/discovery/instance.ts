/**
 * One instance of a service, and its bytes as Curator's x-discovery writes them: JSON with its fields in Curator's order,
 * `null` for what is absent, unknown fields ignored. Payload objects of Java carry `@class`: kept when read, and to be put
 * in by who writes for readers that insist on a class. Pure.
 */
import type { Codec } from '../../client/index.ts';

/** DYNAMIC ones go with the process that registered them, STATIC and PERMANENT ones stay. */
export type ServiceType = 'DYNAMIC' | 'STATIC' | 'PERMANENT' | 'DYNAMIC_SEQUENTIAL';

export interface UriPart {
  readonly value: string;
  readonly variable: boolean;
}

export interface ServiceInstance<P = unknown> {
  readonly name: string;
  readonly id: string;
  readonly address: string | null;
  readonly port: number | null;
  readonly sslPort: number | null;
  readonly payload: P | null;
  readonly registeredMs: number;
  readonly serviceType: ServiceType;
  /** How its URL is made; null = `uriOf` makes one of scheme, address and port. */
  readonly uriSpec: readonly UriPart[] | null;
  /** False: it is there, and wants no requests. */
  readonly enabled: boolean;
}

const TYPES: readonly unknown[] = ['DYNAMIC', 'STATIC', 'PERMANENT', 'DYNAMIC_SEQUENTIAL'];
const PORT_MAX = 0xffff;
const VARIABLE = /\{([^{}]*)\}/;
const DEFAULT_URI = uriSpecOf('{scheme}://{address}:{port}');

/** `{scheme}://{address}:{port}/path` as Curator keeps it: what stands in braces is a variable. */
export function uriSpecOf(template: string): readonly UriPart[] {
  // Texts and variables in turn, because the pattern's group is kept.
  return template
    .split(VARIABLE)
    .map((value, i) => ({ value, variable: i % 2 === 1 }))
    .filter(({ value, variable }) => variable || value !== '');
}

/** The URL of an instance, by its own pattern. @throws TypeError for a variable that nobody gives a value. */
export function uriOf(instance: ServiceInstance, variables: Readonly<Record<string, string>> = {}): string {
  const isSecure = instance.sslPort !== null;
  const port = instance.port ?? instance.sslPort;
  const known: Readonly<Record<string, unknown>> = {
    scheme: isSecure ? 'https' : 'http',
    name: instance.name,
    id: instance.id,
    address: instance.address,
    // Without a pattern of its own, https goes to the port for it.
    port: instance.uriSpec === null && isSecure ? instance.sslPort : port,
    'ssl-port': instance.sslPort,
    'registration-time-utc': instance.registeredMs,
    'service-type': instance.serviceType.toLowerCase(),
    '[': '{',
    ']': '}',
    ...variables,
  };
  const parts = instance.uriSpec ?? DEFAULT_URI;
  return parts.map(({ value, variable }) => (variable ? variableOf(instance, known, value) : value)).join('');
}

function variableOf(
  instance: ServiceInstance,
  known: Readonly<Record<string, unknown>>,
  name: string,
): string {
  const value = Object.hasOwn(known, name) ? known[name] : null;
  if (value === null || value === undefined)
    throw new TypeError(`${instance.name} ${instance.id}: nothing is known for {${name}} of its URL`);
  return String(value);
}

/** `enabled` is written only where it says something: Curator before 3.3 does not know it. */
export function encodeInstance<P>(instance: ServiceInstance<P>): string {
  const { name, id, address, port, sslPort, payload, serviceType, uriSpec, enabled } = instance;
  return JSON.stringify({
    ...{ name, id, address, port, sslPort, payload, registrationTimeUTC: instance.registeredMs, serviceType },
    uriSpec: uriSpec === null ? null : { parts: uriSpec },
    ...(enabled ? {} : { enabled }),
  });
}

/** @throws TypeError that names the field. */
export function decodeInstance<P>(text: string): ServiceInstance<P> {
  const fields: unknown = JSON.parse(text);
  if (!isRecord(fields)) throw new TypeError('an instance is a JSON object');
  const { payload = null, registrationTimeUTC = 0, serviceType = 'DYNAMIC', uriSpec = null } = fields;
  if (!TYPES.includes(serviceType)) throw new TypeError(`serviceType: ${JSON.stringify(serviceType)}`);
  if (typeof registrationTimeUTC !== 'number') throw new TypeError('registrationTimeUTC: no number');
  return {
    name: textOf(fields, 'name'),
    id: textOf(fields, 'id'),
    address: fields['address'] === undefined || fields['address'] === null ? null : textOf(fields, 'address'),
    port: portOf(fields, 'port'),
    sslPort: portOf(fields, 'sslPort'),
    payload: payload as P | null,
    registeredMs: registrationTimeUTC,
    serviceType: (serviceType ?? 'DYNAMIC') as ServiceType,
    uriSpec: uriSpec === null ? null : partsOf(uriSpec),
    enabled: fields['enabled'] !== false,
  };
}

/** Of the bytes in a znode. */
export function instanceCodec<P>(): Codec<ServiceInstance<P>> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return {
    encode: (instance) => Buffer.from(encodeInstance(instance)),
    decode: (bytes) => decodeInstance<P>(decoder.decode(bytes ?? new Uint8Array())),
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(fields: Readonly<Record<string, unknown>>, field: string): string {
  const value = fields[field];
  if (typeof value !== 'string') throw new TypeError(`${field}: no text`);
  return value;
}

function portOf(fields: Readonly<Record<string, unknown>>, field: string): number | null {
  const value = fields[field] ?? null;
  if (value === null) return null;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > PORT_MAX)
    throw new TypeError(`${field}: ${JSON.stringify(value)} is no port`);
  return value;
}

function partsOf(spec: unknown): readonly UriPart[] {
  const parts = isRecord(spec) ? spec['parts'] : null;
  if (!Array.isArray(parts)) throw new TypeError('uriSpec: no parts');
  return parts.map((part: unknown) => {
    if (!isRecord(part)) throw new TypeError('uriSpec: a part is an object');
    return { value: textOf(part, 'value'), variable: part['variable'] === true };
  });
}
