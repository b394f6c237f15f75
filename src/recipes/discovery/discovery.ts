/**
 * Services and their instances, in the form of Curator's x-discovery: `base/<service>/<id>`, JSON. Curator finds what is
 * registered here, and the other way round.
 */
import { randomUUID } from 'node:crypto';
import { childOf, isZk, type Zk } from '../../client/index.ts';
import {
  type PersistentNode,
  type PersistentNodeOptions,
  persistentNode,
} from '../persistent-node/persistent-node.ts';
import {
  encodeInstance,
  instanceCodec,
  type ServiceInstance,
  type ServiceType,
  uriSpecOf,
} from './instance.ts';
import { openProvider, type ProviderOptions, type ServiceProvider } from './provider.ts';

export interface Registration<P> {
  readonly name: string;
  /** If left out, a UUID. Two with the same id: the second waits for the end of the first, by `onTaken`. */
  readonly id?: string;
  readonly address: string;
  readonly port?: number;
  readonly sslPort?: number;
  readonly payload?: P;
  readonly serviceType?: Exclude<ServiceType, 'DYNAMIC_SEQUENTIAL'>;
  /** `{scheme}://{address}:{port}/path`. */
  readonly uriSpec?: string;
  readonly enabled?: boolean;
  readonly registeredMs?: number;
  readonly onTaken?: PersistentNodeOptions['onTaken'];
}

interface Call {
  readonly signal?: AbortSignal;
}

/** An instance that is kept registered until it is closed. */
export class Registered<P> implements AsyncDisposable {
  readonly node: PersistentNode;
  private present: ServiceInstance<P>;

  constructor(node: PersistentNode, instance: ServiceInstance<P>) {
    this.node = node;
    this.present = instance;
  }

  get instance(): ServiceInstance<P> {
    return this.present;
  }

  /** Waits until others can see it. @throws what ended it, or the signal's reason. */
  ready(call: Call = {}): Promise<void> {
    return this.node.ready(call);
  }

  /** Says something else of itself: another load, `enabled: false` before it stops. Resolves once others can see it. */
  update(
    change: Partial<Pick<ServiceInstance<P>, 'address' | 'port' | 'sslPort' | 'payload' | 'enabled'>>,
    call: Call = {},
  ): Promise<void> {
    this.present = { ...this.present, ...change };
    return this.node.set(encodeInstance(this.present), call);
  }

  close(): Promise<void> {
    return this.node.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export class Discovery {
  readonly path: string;
  private readonly zk: Zk;

  constructor(zk: Zk, path: string) {
    this.zk = zk;
    this.path = path;
  }

  /** Kept registered from now on, over reconnects and new sessions. @throws TypeError for what no client could read. */
  register<P = unknown>(wanted: Registration<P>): Registered<P> {
    const { name, id = randomUUID(), serviceType = 'DYNAMIC', onTaken = 'wait' } = wanted;
    const instance: ServiceInstance<P> = {
      name,
      id,
      address: wanted.address,
      port: wanted.port ?? null,
      sslPort: wanted.sslPort ?? null,
      payload: wanted.payload ?? null,
      registeredMs: wanted.registeredMs ?? Date.now(),
      serviceType,
      uriSpec: wanted.uriSpec === undefined ? null : uriSpecOf(wanted.uriSpec),
      enabled: wanted.enabled ?? true,
    };
    const { encode, decode } = instanceCodec<P>();
    const data = encode(instance);
    decode(data);
    const mode = serviceType === 'DYNAMIC' ? 'ephemeral' : 'persistent';
    const path = childOf(this.serviceAt(name), nameAsZnode('id', id));
    return new Registered(persistentNode(this.zk, path, data, { mode, onTaken }), instance);
  }

  /** Names of all services, also of those that nobody serves now. */
  async services(call: Call = {}): Promise<string[]> {
    try {
      return [...(await this.zk.children(this.path, call)).names].sort();
    } catch (error) {
      if (isZk(error, 'NONODE')) return [];
      throw error;
    }
  }

  /** The instances of a service, followed. */
  provider<P = unknown>(name: string, options: ProviderOptions<P> = {}): Promise<ServiceProvider<P>> {
    return openProvider(this.zk, this.serviceAt(name), options);
  }

  private serviceAt(name: string): string {
    return childOf(this.path, nameAsZnode('name', name));
  }
}

function nameAsZnode(field: string, value: string): string {
  if (value === '' || value === '.' || value === '..' || value.includes('/'))
    throw new TypeError(`${field}: ${JSON.stringify(value)} is no name of a znode`);
  return value;
}

/** The services below `path`. */
export function discovery(zk: Zk, path: string): Discovery {
  return new Discovery(zk, path);
}
