/**
 * How much one connection may have in flight: requests handed to the core and not answered yet, by count and by
 * bytes. A full window only means that the connection's next frame waits in its chunk, which in the end becomes TCP
 * back-pressure; no request is ever refused for it. Io thread only, no allocation.
 *
 * Until the first answer the window is one request wide: the first frame opens the session, and frames pipelined
 * behind it must wait until the core has said whether there is one.
 *
 * Bytes are bounded from above without remembering each frame's size. A mark is set; bytes submitted since are
 * `aboveMark`, those before it `belowMark`. Once as many answers have come as were outstanding at the mark, all of
 * `belowMark` is answered and the mark moves up:
 *
 *     submitted:   ■■■■■■■■■■■|□□□□□□□          ■ belowMark   □ aboveMark
 *     answered:    ▲▲▲▲         (mark moves when the ▲ reach it)
 *
 * The sum never understates what is in flight; at worst the window stays shut until the last request before the mark
 * is answered, so there is always an answer that opens it.
 */
export class RequestWindow {
  /** Submitted and not answered. */
  inFlight = 0;
  /** The first request has been answered. */
  established = false;
  private readonly requestsMax: number;
  private readonly bytesMax: number;
  private belowMark = 0;
  private aboveMark = 0;
  private answersToMark = 0;

  constructor(requestsMax: number, bytesMax: number) {
    this.requestsMax = requestsMax;
    this.bytesMax = bytesMax;
  }

  get isOpen(): boolean {
    if (!this.established) return this.inFlight === 0;
    return this.inFlight < this.requestsMax && this.belowMark + this.aboveMark < this.bytesMax;
  }

  submit(bytes: number): void {
    this.inFlight++;
    this.aboveMark += bytes;
  }

  /** Takes back the `submit` just made. */
  revoke(bytes: number): void {
    this.inFlight--;
    this.aboveMark -= bytes;
  }

  complete(): void {
    this.established = true;
    this.inFlight--;
    if (--this.answersToMark > 0) return;
    this.answersToMark = this.inFlight;
    this.belowMark = this.inFlight === 0 ? 0 : this.aboveMark;
    this.aboveMark = 0;
  }
}
