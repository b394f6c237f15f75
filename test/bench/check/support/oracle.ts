/**
 * The definition of a linearizable register, taken literally: is there any order of the operations, with or without
 * each write that has no reply, that keeps real time and in which every read sees the write before it? Tries all of
 * them: for histories of up to seven operations.
 */
export interface RegisterOperation {
  readonly kind: 'write' | 'read';
  readonly tag: number;
  readonly fromUs: number;
  /** Null: no reply. A read always has one. */
  readonly toUs: number | null;
}

export function isLinearizable(operations: readonly RegisterOperation[]): boolean {
  return subsets(operations).some((chosen) => orders(chosen).some(isRegister));
}

/** All choices that hold every operation with a reply. */
function subsets(operations: readonly RegisterOperation[]): RegisterOperation[][] {
  const [first, ...rest] = operations;
  if (first === undefined) return [[]];
  const others = subsets(rest);
  const withFirst = others.map((chosen) => [first, ...chosen]);
  return first.toUs === null ? [...others, ...withFirst] : withFirst;
}

/** All orders that keep real time: an operation may come first when none of the others had ended before it began. */
function orders(operations: readonly RegisterOperation[]): RegisterOperation[][] {
  if (operations.length === 0) return [[]];
  return operations.flatMap((first) => {
    const rest = operations.filter((other) => other !== first);
    if (rest.some(({ toUs }) => toUs !== null && toUs < first.fromUs)) return [];
    return orders(rest).map((order) => [first, ...order]);
  });
}

function isRegister(order: readonly RegisterOperation[]): boolean {
  let value = 0;
  return order.every(({ kind, tag }) => {
    if (kind === 'write') value = tag;
    return value === tag;
  });
}
