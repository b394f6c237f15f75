/**
 * The lines `server.N`, `group.N` and `weight.N`, of zoo.cfg or of the dynamic file, as one membership. Every refusal names
 * the file and the line. Used only while the configuration is read.
 */
import { resolve } from 'node:path';
import { ConfigFailure } from '../../base/failure.ts';
import { MalformedQuorumConfig } from '../../core/quorum/member.ts';
import {
  type ConfigLine,
  isQuorumKey,
  parseQuorumConfig,
  type QuorumConfig,
  quorumConfigOf,
} from '../../core/quorum/quorum-config.ts';
import type { ConfigFiles } from './config-files.ts';
import type { SettingValues } from './setting-values.ts';
import { parseZooCfg } from './zoo-cfg.ts';

export interface MembershipLine extends ConfigLine {
  readonly place: string;
}

export interface Membership {
  readonly config: QuorumConfig;
  /** At least one where there is a member. */
  readonly lines: readonly MembershipLine[];
  readonly dynamicConfigFile: string | null;
  /** Of `<file>.dynamic.next`: proposed, and perhaps in force by now; null = there is none, or it is older. */
  readonly next: QuorumConfig | null;
  /** The file in which members may be changed, with an absolute path; null = they are given by flags, or may not be changed. */
  readonly rewritable: string | null;
}

const FAMILIES = ['server.<n>', 'group.<n>', 'weight.<n>'];

/** Null: nothing names a member. @throws ConfigFailure */
export function readMembership(values: SettingValues, files: ConfigFiles): Membership | null {
  const dynamicConfigFile = values.text('dynamicConfigFile') || null;
  const inFile = FAMILIES.flatMap((family) => values.family(family)).map(({ name, text, place }) => ({
    key: name,
    value: text,
    place,
  }));
  if (dynamicConfigFile === null) {
    if (inFile.length === 0) return null;
    return { config: configOf(inFile, 0), lines: inFile, dynamicConfigFile, ...changesOf(values, files, 0) };
  }
  if (inFile.length > 0) {
    const { place, key } = inFile[0]!;
    throw new ConfigFailure(
      `${place}: ${key} belongs into ${dynamicConfigFile}, which dynamicConfigFile names: members stand in one of the two`,
    );
  }
  const lines = dynamicLines(dynamicConfigFile, files);
  const version = versionOf(dynamicConfigFile);
  return { config: configOf(lines, version), lines, dynamicConfigFile, ...changesOf(values, files, version) };
}

/** What a reconfiguration has left, or may change; `version` is in force. */
function changesOf(
  values: SettingValues,
  files: ConfigFiles,
  version: number,
): Pick<Membership, 'next' | 'rewritable'> {
  const { fileName } = values;
  if (!values.bool('reconfigEnabled') || fileName === null) return { next: null, rewritable: null };
  if (values.isOnCommandLine(...FAMILIES, 'dynamicConfigFile')) return { next: null, rewritable: null };
  const rewritable = resolve(fileName);
  const path = `${rewritable}.dynamic.next`;
  const text = files.read(path);
  if (text === null) return { next: null, rewritable };
  const next = at(path, () => parseQuorumConfig(text));
  return { next: next.version > version ? next : null, rewritable };
}

function dynamicLines(path: string, files: ConfigFiles): MembershipLine[] {
  const text = files.read(path);
  if (text === null)
    throw new ConfigFailure(
      `dynamicConfigFile=${path}: there is no such file; it holds the lines server.<n>=…`,
    );
  const lines = parseZooCfg(text, path).map(({ key, value, lineNumber }) => ({
    key,
    value,
    place: `${path} line ${lineNumber}`,
  }));
  const places = new Map<string, string>();
  for (const { key, place } of lines) {
    if (key === 'version')
      throw new ConfigFailure(
        `${place}: the version stands in the name of the file, not in it; remove the line`,
      );
    if (!isQuorumKey(key))
      throw new ConfigFailure(
        `${place}: ${key}: only server.<n>, group.<n> and weight.<n> may stand in this file`,
      );
    const earlier = places.get(key);
    if (earlier !== undefined)
      throw new ConfigFailure(`${place}: ${key} stands on ${earlier} already; each server has one line`);
    places.set(key, place);
  }
  if (lines.length === 0) throw new ConfigFailure(`dynamicConfigFile=${path}: no line server.<n>=… in it`);
  return lines;
}

/** `zoo.cfg.dynamic.<hex>`: the zxid of the change that made it; 0 where the name says none. */
function versionOf(path: string): number {
  const suffix = /\.([0-9a-f]{1,13})$/i.exec(path)?.[1];
  return suffix === undefined ? 0 : Number.parseInt(suffix, 16);
}

function configOf(lines: readonly MembershipLine[], version: number): QuorumConfig {
  refuseSameId(lines);
  // One by one for the place of the malformed one; together for what only all of them can get wrong.
  for (const line of lines)
    if (line.key.startsWith('server.')) at(line.place, () => quorumConfigOf([line], version), `${line.key}=`);
  return at(lines[0]?.place ?? '', () => quorumConfigOf(lines, version));
}

/** `server.1` and `server.01` are two keys of one server. */
function refuseSameId(lines: readonly MembershipLine[]): void {
  const keys = new Map<string, MembershipLine>();
  for (const line of lines) {
    const plain = line.key.replace(/\.0+(?=\d)/, '.');
    const earlier = keys.get(plain);
    if (earlier !== undefined)
      throw new ConfigFailure(
        `${line.place}: ${line.key} is ${earlier.key} of ${earlier.place} again; each server has one line`,
      );
    keys.set(plain, line);
  }
}

function at<T>(place: string, read: () => T, prefix = ''): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedQuorumConfig)) throw error;
    throw new ConfigFailure(`${place}: ${prefix}${error.message}`);
  }
}
