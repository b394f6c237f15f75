/** What V8 is not to do, in tests as in the program: src/decisions/32. The launcher says it in plain JavaScript, so once more. */
export const V8_FLAGS = ['--no-maglev-escape-analysis'];

/** Given to the launcher of a server, it need not put a Node with them in its own place: 15 % of a start (test/bin/serve.test.ts). */
export const SERVER_FLAGS = ['--max-semi-space-size=4'];

/**
 * How the garbage of a process that simulates servers is collected; real servers have their own flags. A server in the simulator
 * begins with megabytes of arrays, and V8 marks the whole heap each time 64 MB of them have been made, on threads beside;
 * counted with the rest of the heap they are as dear as the rest.
 */
export const GC_FLAGS = ['--external-memory-accounted-in-global-limit', '--min-semi-space-size=16'];
