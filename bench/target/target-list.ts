/**
 * The texts behind `--targets`, read into the services of a sweep, and what of each is varied: how many servers vote, how
 * many observe, and whose they are.
 *
 *     --targets embedded:1,embedded:3,apache:3      three services
 *     --targets embedded:3:key=a,key=b,apache:3     key=b belongs to the first one
 *     --targets host:2181,host:2182                 one service that runs already; another one behind another --targets
 *     --targets embedded,apache --sizes 1,3,5+2     each that says no size, at each of these
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import { parseAddress, parseTargetSpec, type Settings, type TargetSpec } from './target-spec.ts';

export interface ListedTarget {
  readonly spec: TargetSpec;
  /** For the directories of its runs: `embedded-3`. */
  readonly label: string;
  readonly voters: number;
  readonly observers: number;
  /** What is the same at all sizes: `embedded`, `apache maxBatchSize=100`. */
  readonly service: string;
}

/** Kind and settings. */
const SIZELESS = /^(embedded|ringkeeper|apache)(:(?!\s*[\d+]).*)?$/;
/** More than any machine is kept busy with. */
const TARGETS_MAX = 64;

/** @throws ConfigFailure naming the target and what is allowed. */
export function parseTargetList(texts: readonly string[], sizes?: string): ListedTarget[] {
  const parts = sizes === undefined ? texts.flatMap(partsOf) : atSizes(texts.flatMap(partsOf), sizes);
  if (parts.length > TARGETS_MAX) {
    throw new ConfigFailure(`--targets: ${parts.length} targets - allowed: at most ${TARGETS_MAX}`);
  }
  const twice = parts.find((text, at) => parts.indexOf(text) !== at);
  if (twice !== undefined) throw new ConfigFailure(`--targets: "${twice}" - allowed: each target once`);
  const listed = parts.map(listedTarget);
  return listed.map((target) => {
    const isAlone = listed.every((other) => other === target || !areAlike(other, target));
    return isAlone ? target : { ...target, service: target.spec.text };
  });
}

/** Commas separate targets, but for those within one. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (const part of text.split(',').map((one) => one.trim())) {
    const before = parts.at(-1);
    const isOfBefore =
      before !== undefined &&
      (/^[\w.-]+=/.test(part) || (isAddress(part) && before.split(',').every(isAddress)));
    if (isOfBefore) parts.push(`${parts.pop()},${part}`);
    else parts.push(part);
  }
  return parts;
}

/** `embedded:key=value` becomes `embedded:3:key=value`. */
function atSizes(parts: readonly string[], text: string): string[] {
  const sizes = text.split(',').map((size) => size.trim());
  const wrong = sizes.find((size) => !/^\d{1,3}(?:\+\d{1,3})?$/.test(size));
  if (wrong !== undefined) {
    throw new ConfigFailure(
      `--sizes: "${wrong}" - allowed: numbers of servers, e.g. 1,3,5; 5+2 with two observers`,
    );
  }
  if (!parts.some((part) => SIZELESS.test(part))) {
    throw new ConfigFailure(
      '--sizes: allowed: with a target that says no size itself, e.g. --targets embedded,apache',
    );
  }
  return parts.flatMap((part) => {
    const [, kind, settings = ''] = SIZELESS.exec(part) ?? [];
    return kind === undefined ? [part] : sizes.map((size) => `${kind}:${size}${settings}`);
  });
}

/** `embedded:3` looks like one and is none. */
function isAddress(text: string): boolean {
  return parseAddress(text) !== null && !/^(?:embedded|ringkeeper|apache|mixed|commit|null):/.test(text);
}

function areAlike(a: ListedTarget, b: ListedTarget): boolean {
  return a.voters === b.voters && a.observers === b.observers && a.service === b.service;
}

function listedTarget(text: string): ListedTarget {
  const spec = specOf(text);
  switch (spec.kind) {
    case 'ensemble': {
      const [kind] = spec.name.split('-');
      const sizes = { voters: spec.voters.length, observers: spec.observers.length };
      return { spec, label: spec.name, ...sizes, service: serviceText(kind!, spec.settings) };
    }
    case 'external':
      return { spec, label: 'external', voters: spec.addresses.length, observers: 0, service: 'external' };
    case 'null':
      return { spec, label: 'null', voters: 1, observers: 0, service: text };
    case 'commit':
      return { ...single(spec), service: serviceText(`commit ${spec.rev}`, spec.settings) };
    default:
      return { ...single(spec), service: serviceText(spec.kind, spec.settings) };
  }
}

function single(spec: TargetSpec): Omit<ListedTarget, 'service'> {
  return { spec, label: `${spec.kind}-1`, voters: 1, observers: 0 };
}

function specOf(text: string): TargetSpec {
  try {
    return parseTargetSpec(text);
  } catch (error) {
    if (!(error instanceof ConfigFailure)) throw error;
    throw new ConfigFailure(error.message.replace(/^--target:/, '--targets:'));
  }
}

function serviceText(kind: string, settings: Settings): string {
  return [kind, ...Object.entries(settings).map(([key, value]) => `${key}=${value}`)].join(' ');
}
