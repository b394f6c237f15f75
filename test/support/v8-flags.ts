/** What V8 is not to do, in tests as in the program: src/decisions/32. The launcher says it in plain JavaScript, so once more. */
export const V8_FLAGS = ['--no-maglev-escape-analysis'];
