/**
 * What the operator is told about the configuration at start-up: one line for each key that is unknown, not
 * obeyed, given twice or changed. Nothing that was written into a file is passed over in silence. Values of keys
 * that are not obeyed are left out: some are passwords.
 */

export interface Notice {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

export class Notices {
  readonly list: Notice[] = [];

  info(text: string): void {
    this.list.push({ level: 'info', text });
  }

  warn(text: string): void {
    this.list.push({ level: 'warn', text });
  }
}
