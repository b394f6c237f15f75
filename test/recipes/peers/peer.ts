/**
 * Another process that shares recipes with us: by the code of another family of clients, kazoo or Curator, or by our own. It
 * is told what to do line by line, and several things at a time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SessionTicket } from '../../../src/client/index.ts';
import { JVM_FLAGS } from '../../support/apache.ts';
import { JARS, PYTHON } from '../../support/skip.ts';

/** In front of the libraries they are built upon. */
const CURATOR_JARS: readonly string[] = [
  ...['curator-x-discovery', 'curator-recipes', 'curator-framework', 'curator-client'],
  ...['zookeeper', 'zookeeper-jute', 'zookeeper-recipes-lock', 'guava'],
  ...['jackson-databind', 'jackson-core', 'jackson-annotations', 'slf4j-api', 'slf4j-simple'],
].map((name) => join(JARS, `${name}.jar`));

export class Peer implements AsyncDisposable {
  private readonly child: ChildProcess;
  private readonly calls = new Map<string, PromiseWithResolvers<string>>();
  private readonly exited: Promise<unknown>;
  private errors = '';
  private count = 0;

  private constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: import.meta.dirname });
    this.exited = once(this.child, 'exit');
    const killWithParent = (): void => void this.child.kill('SIGKILL');
    process.once('exit', killWithParent);
    this.child.stderr!.on('data', (text) => {
      this.errors += text;
    });
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.onLine(line));
    void this.exited.then(() => {
      process.off('exit', killWithParent);
      for (const call of this.calls.values()) call.reject(new Error(`the peer ended:\n${this.errors}`));
    });
  }

  static kazoo(address: string, timeoutMs: number): Promise<Peer> {
    return Peer.start(PYTHON, [join(import.meta.dirname, 'kazoo_peer.py'), address, String(timeoutMs)]);
  }

  static curator(address: string, timeoutMs: number): Promise<Peer> {
    const source = join(import.meta.dirname, 'CuratorPeer.java');
    const flags = [...JVM_FLAGS, '-cp', CURATOR_JARS.join(':')];
    return Peer.start('java', [...flags, source, address, String(timeoutMs)]);
  }

  /** Ours, in a process of its own. */
  static ours(address: string, timeoutMs: number): Promise<Peer> {
    const source = join(import.meta.dirname, 'holder/main.ts');
    return Peer.start(process.execPath, [source, address, String(timeoutMs)]);
  }

  /** The whole process stands still; what it is told meanwhile waits for `resume`. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  call(verb: string, ...args: readonly (string | number)[]): Promise<string> {
    const id = String(++this.count);
    const call = Promise.withResolvers<string>();
    this.calls.set(id, call);
    this.child.stdin!.write(`${[id, verb, ...args].join(' ')}\n`);
    return call.promise;
  }

  /** What another client needs to end its session. */
  async session(): Promise<SessionTicket> {
    const [id = '', password = ''] = (await this.call('session')).split(' ');
    return {
      id: BigInt.asIntN(64, BigInt(id)),
      password: Buffer.from(password, 'hex'),
      timeoutMs: 30_000,
      seenZxid: 0,
    };
  }

  /** SIGKILL: its session lives on until it expires. */
  async kill(): Promise<void> {
    this.calls.clear();
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  private static async start(command: string, args: readonly string[]): Promise<Peer> {
    const peer = new Peer(command, args);
    const ready = Promise.withResolvers<string>();
    peer.calls.set('0', ready);
    await ready.promise;
    return peer;
  }

  private onLine(line: string): void {
    const [id = '', outcome, ...words] = line.split(' ');
    const call = this.calls.get(id);
    this.calls.delete(id);
    if (outcome === 'ok') call?.resolve(words.join(' '));
    else call?.reject(new Error(`${line}\n${this.errors}`));
  }
}
