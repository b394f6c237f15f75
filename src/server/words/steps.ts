/**
 * Answers are made in steps, so that whoever makes them can stop between any two: a generator of text, each yield a
 * small piece of work. `''` is a step that says nothing. The return value is for the caller of `yield*`.
 */
export type Steps<T = void> = Generator<string, T>;

/** Work that yields nothing to say. */
export function* silently<T>(work: Generator<null, T>): Steps<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    yield '';
  }
}
