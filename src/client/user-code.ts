/**
 * Functions of the user that the client calls in the middle of its own work. What they throw is the user's: it becomes an
 * uncaught exception in a turn of its own, and neither stops the work half way nor is swallowed.
 */
export function callUser<A extends readonly unknown[]>(act: (...args: A) => void, ...args: A): void {
  try {
    act(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
