/** Everything that a server says, for the trace and for the rules about warnings. */
import type { Log, LogFields, LogLine } from '../../src/server/logging/logging.ts';
import type { Machine } from './machine.ts';

export class SimLog implements Log {
  private readonly machine: Machine;
  private readonly name: string;

  constructor(machine: Machine, name: string) {
    this.machine = machine;
    this.name = name;
  }

  debug(): void {}

  info(text: string, fields?: LogFields): void {
    this.line('info', text, fields);
  }

  warn(text: string, fields?: LogFields): void {
    this.line('warn', text, fields);
  }

  error(text: string, fields?: LogFields): void {
    this.line('error', text, fields);
  }

  write(line: LogLine): void {
    this.line(line.level, line.text, line.fields);
  }

  private line(level: string, text: string, fields?: LogFields): void {
    const { world, observer } = this.machine;
    if (world.lines !== null) world.trace(this.name, `${level}: ${text} ${JSON.stringify(fields ?? {})}`);
    observer.onLogLine(level, text);
  }
}
