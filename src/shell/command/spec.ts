/** What a command is: one entry of the table. */
import type { Context } from './context.ts';
import type { Invocation } from './invocation.ts';
import type { CommandShape } from './shape.ts';

export interface CommandSpec extends CommandShape {
  run(invocation: Invocation, context: Context): Promise<void> | void;
}
