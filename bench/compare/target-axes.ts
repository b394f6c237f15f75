/**
 * The services of a sweep as axes beside those of its plan: `servers` (voters); `observers` and `service` where they vary.
 * And their order, in which what drifts meets all of them alike:
 *
 *     size 1: embedded apache | size 3: apache embedded | size 5: embedded apache ...
 */
import type { SweepAxis } from '../plan/plan.ts';

/** One service, as `measure` knows it. */
export interface TargetPlace {
  /** Its text, for `measure`. */
  readonly side: string;
  /** For the directories of its runs. */
  readonly label: string;
  readonly voters: number;
  readonly observers: number;
  readonly service: string;
}

export interface TargetAxes {
  readonly axes: readonly SweepAxis[];
  /** In the order in which they are measured, with the value of each axis. */
  readonly targets: readonly SweptTarget[];
}

export interface SweptTarget {
  readonly side: string;
  readonly label: string;
  readonly at: readonly (number | string)[];
}

/** Of a sweep of one service: no axis. */
export function onlyTarget(side: string): TargetAxes {
  return { axes: [], targets: [{ side, label: 'point', at: [] }] };
}

const AXES: readonly (readonly [path: string, value: (place: TargetPlace) => number | string])[] = [
  ['servers', ({ voters }) => voters],
  ['observers', ({ observers }) => observers],
  ['service', ({ service }) => service],
];

/** At least one place. */
export function targetAxes(places: readonly TargetPlace[]): TargetAxes {
  const valuesOf = (value: (place: TargetPlace) => number | string): (number | string)[] => {
    const values = [...new Set(places.map(value))];
    return values.every((one) => typeof one === 'number') ? values.sort((a, b) => a - b) : values;
  };
  const varies = ([, value]: (typeof AXES)[number]): boolean => valuesOf(value).length > 1;
  const [servers, ...others] = AXES;
  const kept = [...(varies(servers!) ? [servers!] : []), ...others.filter(varies)];
  // Published figures belong to sizes, so that the size is said even where it is the same for all.
  if (!varies(servers!)) kept.splice(kept[0]?.[0] === 'observers' ? 1 : 0, 0, servers!);
  return {
    axes: kept.map(([path, value]) => ({ path, values: valuesOf(value) })),
    targets: interleaved(places).map((place) => ({
      side: place.side,
      label: place.label,
      at: kept.map(([, value]) => value(place)),
    })),
  };
}

/** By size; at each other size the services come in the opposite order. */
function interleaved(places: readonly TargetPlace[]): TargetPlace[] {
  const sizes = new Map<number, TargetPlace[]>();
  for (const place of places) {
    const size = place.voters + place.observers;
    sizes.set(size, [...(sizes.get(size) ?? []), place]);
  }
  const ordered = [...sizes].sort(([a], [b]) => a - b);
  return ordered.flatMap(([, group], at) => (at % 2 === 0 ? group : group.toReversed()));
}
