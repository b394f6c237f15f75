/** What a differential run consists of: one step at a time, done by both servers before the next begins. */

/** How many clients a run has. A slot holds at most one connection and remembers its last session. */
export const SLOT_COUNT = 4;

export interface Effect {
  readonly op: number;
  readonly path: string | null;
}

export interface Request {
  readonly xid: number;
  readonly op: number;
  readonly body: Uint8Array;
  /** For people, e.g. `setData "/a/b" 12 bytes version 3`. */
  readonly label: string;
  /** The znodes it may create or delete: of a multi one per sub-operation. For the generator's model. */
  readonly effects?: readonly Effect[];
  /** The server closes the connection after it; nothing may be sent behind it. */
  readonly ends?: boolean;
  /** The caller lacks READ: the baseline's `exists` does not care, ours answers NOAUTH. */
  readonly existsDenied?: boolean;
}

export const OpenMode = {
  fresh: 'fresh',
  /** Same session again; when the slot still holds its connection, the server has to close that one. */
  reconnect: 'reconnect',
  wrongPassword: 'wrongPassword',
  unknownSession: 'unknownSession',
  /** Claims to have seen a zxid that the server has not reached. */
  aheadOfServer: 'aheadOfServer',
} as const;
export type OpenMode = (typeof OpenMode)[keyof typeof OpenMode];

export type Step =
  /** Written to the slot's socket at once, so that later requests wait behind earlier ones in the server. */
  | { readonly kind: 'requests'; readonly slot: number; readonly requests: readonly Request[] }
  | {
      readonly kind: 'open';
      readonly slot: number;
      readonly mode: OpenMode;
      readonly timeoutMs: number;
      readonly readOnly: boolean | undefined;
    }
  /** The connection ends without closing the session. */
  | { readonly kind: 'drop'; readonly slot: number }
  /** Bytes after which a server has to close the connection: the slot's, or one without a session. */
  | {
      readonly kind: 'garbage';
      readonly slot: number | undefined;
      readonly bytes: Uint8Array;
      readonly label: string;
    };

export function describe(step: Step): string {
  switch (step.kind) {
    case 'requests':
      return `slot ${step.slot}: ` + step.requests.map((r) => `[xid ${r.xid}] ${r.label}`).join('; ');
    case 'open':
      return `slot ${step.slot}: connect ${step.mode} timeout ${step.timeoutMs} readOnly ${step.readOnly}`;
    case 'drop':
      return `slot ${step.slot}: drop the connection`;
    case 'garbage':
      return `${step.slot === undefined ? 'no session' : `slot ${step.slot}`}: ${step.label}`;
  }
}
