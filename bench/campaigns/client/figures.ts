/** From samples to figures and from figures to what was asked for. Pure. */
import { median } from 'simple-statistics';
import { formatRatio } from '../../figures/format.ts';
import { estimateRatio } from '../../stats/ratio.ts';
import type { ClientFigures, RoundSample, TargetLine, Task } from './client-json.ts';

export const OURS = 'ringkeeper';
const NPM_CLIENTS = ['node-zookeeper-client', 'npm-zookeeper'];
const TREE_SECONDS_MAX = 2;
const SINGLE_RATIO_MAX = 1.1;

export function figuresOf(samples: readonly RoundSample[]): ClientFigures[] {
  const groups = Map.groupBy(samples, ({ client, task }) => `${task} ${client}`);
  return [...groups.values()].map((group) => {
    const of = (value: (one: RoundSample) => number | null): number | null => {
      const values = group.map(value).filter((one) => one !== null);
      return values.length === 0 ? null : median(values);
    };
    const { client, task } = group[0]!;
    return {
      client,
      task,
      samples: group.length,
      seconds: of(({ seconds }) => seconds)!,
      perSecond: of(({ ops, seconds }) => ops / seconds)!,
      perCpuSecond: of(perCpuSecond)!,
      cpuMicrosPerOp: of(({ ops, cpuSeconds }) => (cpuSeconds * 1e6) / ops)!,
      p50Micros: of(({ p50Micros }) => p50Micros),
      p99Micros: of(({ p99Micros }) => p99Micros),
      allocatedBytesPerOp: of(({ ops, allocatedBytes }) =>
        allocatedBytes === null ? null : allocatedBytes / ops,
      ),
    };
  });
}

export function targetsOf(samples: readonly RoundSample[], nodes: number): TargetLine[] {
  const figures = figuresOf(samples);
  const best = figures
    .filter(({ task, client }) => task === 'gets' && NPM_CLIENTS.includes(client))
    .sort((a, b) => b.perCpuSecond - a.perCpuSecond)[0]?.client;
  const tree = figures.find(({ task, client }) => task === 'tree' && client === OURS);
  return [
    atLeast(samples, best ?? NPM_CLIENTS[0]!, 5, 'the best npm client here'),
    atLeast(samples, 'java', 2, "Apache's Java client"),
    singleLine(samples),
    {
      what: `tree cache of ${nodes.toLocaleString('en-US')} znodes, in a fresh process`,
      target: `under ${TREE_SECONDS_MAX} s`,
      measured: tree === undefined ? '-' : `${tree.seconds.toFixed(2)} s`,
      met: tree === undefined ? null : tree.seconds < TREE_SECONDS_MAX,
      ratio: null,
    },
  ];
}

function perCpuSecond({ ops, cpuSeconds }: RoundSample): number {
  return ops / cpuSeconds;
}

/** Ours to theirs, round by round. */
function ratioOf(
  samples: readonly RoundSample[],
  task: Task,
  other: string,
  value: (one: RoundSample) => number | null,
): TargetLine['ratio'] {
  const of = (client: string): Map<number, number | null> =>
    new Map(
      samples
        .filter((one) => one.task === task && one.client === client)
        .map((one) => [one.round, value(one)]),
    );
  const theirs = of(other);
  // A round that was cut short has no pair.
  const pairs = [...of(OURS)].filter(([round]) => theirs.has(round));
  return estimateRatio(pairs.map(([round, ours]) => [theirs.get(round)!, ours] as const));
}

function atLeast(samples: readonly RoundSample[], other: string, factor: number, who: string): TargetLine {
  const ratio = ratioOf(samples, 'gets', other, perCpuSecond);
  return {
    what: `pipelined gets per CPU second, beside ${who} (${other})`,
    target: `${factor} x or more`,
    measured: ratioText(ratio),
    met: ratio === null ? null : ratio.ratio >= factor,
    ratio,
  };
}

function singleLine(samples: readonly RoundSample[]): TargetLine {
  const pairs = samples.filter(({ task }) => task === 'pair');
  const ratio = estimateRatio(pairs.map(({ p50Micros, rawMicros }) => [rawMicros ?? null, p50Micros]));
  return {
    what: "one get at a time: median round trip, in turn with a raw socket's of the same process",
    target: `${SINGLE_RATIO_MAX} x or less`,
    measured: ratioText(ratio),
    met: ratio === null ? null : ratio.ratio <= SINGLE_RATIO_MAX,
    ratio,
  };
}

function ratioText(ratio: TargetLine['ratio']): string {
  if (ratio === null) return '-';
  const { low, high } = ratio;
  return `${formatRatio(ratio.ratio)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}
