/** Seeds that have failed once, and what was wrong then. A change of the simulator makes them others; they stay cheap. */
export const REGRESSIONS: readonly { readonly seed: number; readonly reason: string }[] = [
  {
    seed: 44,
    reason: 'a leader whom those who elected it had given up waited for initLimit, and held up the others',
  },
];
