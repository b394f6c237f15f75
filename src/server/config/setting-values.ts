/**
 * Finds the value that counts for each key (command line before file before default) and turns it into a number,
 * a switch or a text. Every refusal names the place, the key, the value and what is allowed. Used only while the
 * configuration is read.
 */
import { ConfigFailure } from '../../base/failure.ts';
import type { PropertyLine } from '../../wire/java-properties.ts';
import { findSetting, SETTINGS, type SupportedKey, similarKey } from './defaults.ts';
import { Notices } from './notices.ts';
import type { Setting } from './setting.ts';

/** A flag of the command line that sets a key; `flag` is what the user typed, for messages. */
export interface Override {
  readonly key: string;
  readonly value: string;
  readonly flag: string;
}

export interface ConfigSources {
  /** Null when the command line alone configures the server. */
  readonly file: { readonly name: string; readonly lines: readonly PropertyLine[] } | null;
  /** Win over the file; among themselves the last one wins. */
  readonly overrides: readonly Override[];
}

/** A value somebody wrote down, and where. */
export interface GivenValue {
  readonly name: string;
  readonly text: string;
  /** `zoo.cfg line 7`, or the flag of the command line. */
  readonly place: string;
  readonly onCommandLine: boolean;
  readonly setting: Setting;
}

export class SettingValues {
  readonly notices = new Notices();
  /** Null: flags alone. */
  readonly fileName: string | null;
  /** By key of the table; of a family (`server.<n>`) by the name that was written. */
  private readonly given = new Map<string, GivenValue>();

  /** @throws ConfigFailure for an unknown key on the command line; in a file it is only a notice, as with Apache. */
  constructor(sources: ConfigSources) {
    this.fileName = sources.file?.name ?? null;
    if (sources.file !== null) {
      for (const line of sources.file.lines) {
        this.take(line.key, line.value, `${sources.file.name} line ${line.lineNumber}`, false);
      }
    }
    for (const override of sources.overrides) this.take(override.key, override.value, override.flag, true);
    for (const value of this.given.values()) this.checkNotObeyed(value);
  }

  isGiven(key: string): boolean {
    return this.given.has(key);
  }

  /** Some of it was given by a flag, which stays whatever a file says. */
  isOnCommandLine(...keys: readonly string[]): boolean {
    return [...this.given.values()].some(
      ({ setting, onCommandLine }) => onCommandLine && keys.includes(setting.key),
    );
  }

  /** Values of one family, such as `server.<n>`, in the order of the file. */
  family(key: string): GivenValue[] {
    return [...this.given.values()].filter((value) => value.setting.key === key);
  }

  int(key: SupportedKey<'int' | 'long' | 'port'>): number {
    const value = this.given.get(key);
    const setting = row(key);
    return parseInteger(value?.text ?? setting.fallback ?? '', setting, value);
  }

  /** As `int`, for keys whose default depends on another key. */
  intOr(key: SupportedKey<'int' | 'port'>, otherwise: number): number {
    return this.given.has(key) ? this.int(key) : otherwise;
  }

  switch(key: SupportedKey<'switch'>): boolean {
    const value = this.given.get(key);
    const text = (value?.text ?? row(key).fallback!).toLowerCase();
    if (value !== undefined && text !== 'true' && text !== 'false') {
      this.notices.warn(`${quote(value)} is neither true nor false: read as false, as Apache does`);
    }
    return text === 'true';
  }

  /** True for yes. Only the opposite of the default, written exactly, changes anything. */
  /** Unlike a switch, Apache refuses anything but true and false here. */
  bool(key: SupportedKey<'bool'>): boolean {
    const text = (this.given.get(key)?.text ?? row(key).fallback!).toLowerCase();
    if (text !== 'true' && text !== 'false') this.refuse(key, 'true or false');
    return text === 'true';
  }

  yesNo(key: SupportedKey<'yes-no'>): boolean {
    const value = this.given.get(key);
    const fallback = row(key).fallback!;
    const opposite = fallback === 'yes' ? 'no' : 'yes';
    if (value === undefined) return fallback === 'yes';
    if (value.text !== opposite && value.text !== fallback) {
      this.notices.warn(`${quote(value)} is neither yes nor no: read as ${fallback}, as Apache does`);
    }
    return (value.text === opposite) !== (fallback === 'yes');
  }

  /** Null when not given and without a default. */
  text(key: SupportedKey<'text' | 'path' | 'secret'>): string | null {
    return this.given.get(key)?.text ?? row(key).fallback;
  }

  choice<const T extends string>(key: SupportedKey<'text'>, allowed: readonly T[]): T {
    const text = this.text(key);
    for (const one of allowed) if (one === text) return one;
    return this.refuse(key, `allowed: ${allowed.map((one) => one || '(empty)').join(', ')}`);
  }

  list(key: SupportedKey<'list'>): string[] {
    const text = this.given.get(key)?.text ?? row(key).fallback ?? '';
    return text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
  }

  /** A whole number of hours, or a number with a unit; in milliseconds. */
  durationMs(key: SupportedKey<'duration'>): number {
    const text = this.given.get(key)?.text ?? row(key).fallback!;
    const match = /^\+?(\d{1,9})\s*(ms|s|m|h|d)?$/.exec(text);
    if (match === null)
      return this.refuse(key, 'allowed: a number of hours, or a number with ms, s, m, h or d');
    return Number(match[1]) * UNIT_MS.get(match[2] ?? 'h')!;
  }

  /** Tells that a value was changed to one that works. */
  adjusted(key: string, to: string): void {
    this.notices.warn(`${quote(this.given.get(key)!)} ${to}`);
  }

  /** This server is alone: says of each key for ensembles that it has no effect. */
  withoutEnsemble(): void {
    for (const { setting, place, name } of this.given.values()) {
      if (setting.status !== 'ensemble' || MEMBERSHIP_KEYS.has(setting.key)) continue;
      this.notices.info(`${place}: ${name} has no effect here: used only in an ensemble`);
    }
  }

  /** @throws ConfigFailure always. */
  refuse(key: string, allowed: string): never {
    throw refusal(this.given.get(key), row(key), allowed);
  }

  private take(name: string, text: string, place: string, onCommandLine: boolean): void {
    const setting = findSetting(name);
    if (setting === null) {
      const similar = similarKey(name);
      const hint = similar === null ? '' : `; did you mean ${similar}?`;
      if (onCommandLine) throw new ConfigFailure(`${place}: there is no key "${name}"${hint}`);
      this.notices.warn(`${place}: unknown key "${name}" is ignored${hint}`);
      return;
    }
    const isFamily = name !== setting.key && name !== setting.property;
    const key = isFamily ? name : setting.key;
    const earlier = this.given.get(key);
    if (earlier !== undefined && !onCommandLine) {
      if (setting.key === 'server.<n>' && earlier.text !== text) {
        throw new ConfigFailure(
          `${place}: ${name} stands on ${earlier.place} already, with another address; each server needs an id of its own`,
        );
      }
      this.notices.warn(`${place}: ${name} replaces the value given on ${earlier.place}`);
    }
    this.given.set(key, { name, text, place, onCommandLine, setting });
  }

  private checkNotObeyed(value: GivenValue): void {
    const { setting, text } = value;
    if (setting.status === 'supported') return;
    // What Apache parses itself (no property behind it) it refuses when malformed; we agree before ignoring it.
    if (setting.property === null && text !== '') {
      if (setting.type === 'int' || setting.type === 'port') parseInteger(text, setting, value);
      if (setting.type === 'bool' && !/^(true|false)$/i.test(text))
        throw refusal(value, setting, 'allowed: true, false');
    }
    if (setting.status === 'ensemble') return;
    if (setting.status === 'refused' && text.toLowerCase() !== (setting.fallback ?? '')) {
      throw refusal(
        value,
        setting,
        `${setting.effect}; remove the line${setting.fallback === null ? '' : ` or set ${setting.fallback}`}`,
      );
    }
    if (setting.status === 'unsupported') {
      this.notices.warn(`${value.place}: ${value.name} is not supported: ${setting.effect}`);
    } else {
      this.notices.info(`${value.place}: ${value.name} has no effect here: ${setting.effect}`);
    }
  }
}

/** They say whether there is an ensemble. */
const MEMBERSHIP_KEYS: ReadonlySet<string> = new Set(['server.<n>', 'dynamicConfigFile']);

const UNIT_MS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const rowByKey = new Map<string, Setting>(
  (SETTINGS as readonly Setting[]).map((setting) => [setting.key, setting]),
);

function row(key: string): Setting {
  return rowByKey.get(key)!;
}

/** Decimal, or hex with 0x: Apache reads jute.maxbuffer with Integer.getInteger. */
function parseInteger(text: string, setting: Setting, value: GivenValue | undefined): number {
  const number = /^[+-]?(\d{1,16}|0[xX][0-9a-fA-F]{1,13})$/.test(text) ? toNumber(text) : Number.NaN;
  const max = setting.type === 'port' ? PORT_MAX : setting.max;
  if (number >= setting.min && number <= max) return number;
  const unit = setting.unit === '' ? '' : ` ${setting.unit}`;
  throw refusal(
    value,
    setting,
    `allowed: a whole number from ${Math.max(setting.min, setting.type === 'port' ? 0 : setting.min)} to ${max}${unit}`,
  );
}

const PORT_MAX = 65535;

function toNumber(text: string): number {
  return text[0] === '-' ? -Number(text.slice(1)) : Number(text[0] === '+' ? text.slice(1) : text);
}

function refusal(value: GivenValue | undefined, setting: Setting, reason: string): ConfigFailure {
  if (value === undefined) return new ConfigFailure(`${setting.key} is not set: ${reason}`);
  return new ConfigFailure(`${quote(value)}: ${reason}`);
}

/** `zoo.cfg line 3: tickTime=abc`, secrets masked. */
function quote(value: GivenValue): string {
  return `${value.place}: ${value.name}=${value.setting.type === 'secret' ? '***' : value.text}`;
}
