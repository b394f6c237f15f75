/** What V8 is not to do, in tests as in the program: src/decisions/32. The launcher says it in plain JavaScript, so once more. */
export const V8_FLAGS = ['--no-maglev-escape-analysis'];

/** Given to the launcher of a server, it need not put a Node with them in its own place: 15 % of a start (test/bin/serve.test.ts). */
export const SERVER_FLAGS = ['--max-semi-space-size=4'];
