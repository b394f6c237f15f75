/**
 * Time as a port: production reads the system's clocks, the simulator its own. Only agents and hosts hold one; the
 * machines below them are told the time by their caller.
 */
export interface Clock {
  /** Never goes back; from an arbitrary origin. */
  monotonicMs(): number;
  /** Since 1970; may be set by somebody at any moment. */
  wallMs(): number;
}
