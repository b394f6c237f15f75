/**
 * What the client port tells whoever writes the operator's log: connections that it refuses or ends by itself. Called for
 * each of them, as often as a client likes: the receiver says it now and then. Io thread.
 */
export interface NetReports {
  /** At accept: there is no room for more of this address, or for more in all. */
  refused(address: string, isOfAddress: boolean): void;
  /** What should have been a frame's length: of another protocol, or of a request that is too large. */
  badLength(address: string, port: number, length: number): void;
  /** It did not read: `bytes` were waiting for it, by its own bound or (`isOfAll`) by that of all together. */
  unread(address: string, port: number, bytes: number, isOfAll: boolean): void;
}
