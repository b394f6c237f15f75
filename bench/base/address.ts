/** Where a server listens, and as whom to speak to it. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** Sent at the begin of every session, in this order. */
  readonly auth?: readonly Credential[];
}

/** What `addauth` takes: `digest` and `user:password`. Never part of a result. */
export interface Credential {
  readonly scheme: string;
  readonly auth: string;
}

export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
