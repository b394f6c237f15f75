/**
 * Points that what was learnt speaks for, the most promising first: the leader without what was not shown to help; the sum
 * of the best effects; points that differ from the leader, or the default where nothing leads, in one parameter, by the
 * effect that is expected of it.
 */
import type { TuneCandidate } from '../result/tune-json.ts';
import type { LevelEffect } from '../stats/level-effects.ts';
import { canonical, isDefault, type Parameter, type Point } from './space.ts';

/** A gain of 2.5 %. */
const LIKELY = Math.log(1.025);

export interface Proposal {
  readonly point: Point;
  readonly origin: TuneCandidate['origin'];
}

export interface Learnt {
  readonly parameters: readonly Parameter[];
  readonly effects: readonly LevelEffect[];
  /** Null: nothing seems better than the default. */
  readonly leader: Point | null;
}

export function proposals({ parameters, effects, leader }: Learnt): Proposal[] {
  const effectAt = (parameter: number, level: number): number =>
    effects.find((known) => known.parameter === parameter && known.level === level)?.effect ?? 0;
  const summed = parameters.map(({ values }, parameter) => {
    const levels = [0, ...values.map((_, at) => at + 1)];
    return levels.reduce(
      (best, level) => (effectAt(parameter, level) > effectAt(parameter, best) ? level : best),
      0,
    );
  });
  const base = leader ?? parameters.map(() => 0);
  const steps = parameters.flatMap(({ values }, parameter) =>
    values.flatMap((_, at) => {
      const level = at + 1 === base[parameter] ? 0 : at + 1;
      const gain = effectAt(parameter, level) - effectAt(parameter, base[parameter]!);
      return [{ point: base.with(parameter, level), gain }];
    }),
  );
  const neighbours = steps.sort((x, y) => y.gain - x.gain);
  const made: Proposal[] = [
    ...simplified(leader, effects).map((point) => ({ point, origin: 'simplified' as const })),
    { point: summed, origin: 'sum of effects' },
    ...neighbours.map(({ point }) => ({ point, origin: 'neighbour' as const })),
  ];
  return distinct(made.map(({ point, origin }) => ({ point: canonical(parameters, point), origin })));
}

/** The leader without what was not shown to help, and without what is not likely to. */
function simplified(leader: Point | null, effects: readonly LevelEffect[]): Point[] {
  if (leader === null) return [];
  const keeping = (helps: (effect: LevelEffect) => boolean): Point =>
    leader.map((level, parameter) => {
      const known = effects.find((effect) => effect.parameter === parameter && effect.level === level);
      return known !== undefined && helps(known) ? level : 0;
    });
  return [
    keeping(({ interval }) => interval !== null && interval.low > 0),
    keeping(({ effect }) => effect > LIKELY),
  ];
}

function distinct(made: readonly Proposal[]): Proposal[] {
  const byPoint = new Map<string, Proposal>();
  for (const proposal of made) {
    const name = String(proposal.point);
    if (!isDefault(proposal.point) && !byPoint.has(name)) byPoint.set(name, proposal);
  }
  return [...byPoint.values()];
}
