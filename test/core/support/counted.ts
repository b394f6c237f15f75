/** How often a method of an object is called from now on: work is asserted on as a number, not as time. */
export function counted<T extends object, K extends keyof T & string>(target: T, name: K): { calls: number } {
  const count = { calls: 0 };
  const method = target[name] as (...args: unknown[]) => unknown;
  Object.defineProperty(target, name, {
    configurable: true,
    value: (...args: unknown[]) => {
      count.calls++;
      return method.apply(target, args);
    },
  });
  return count;
}
