/** What a model of the explorer is: programs over shared memory, imported by the controller and by every thread. */

/** What a program may do besides using the classes under test. */
export interface Step {
  /** Declares a plain access to memory that threads share; `place` names it. A point of interleaving. */
  access(place: number, writes: boolean): void;
}

export type Program<S> = (shared: S, step: Step) => void | Promise<void>;

/** Programs over shared memory. A model is imported by the controller and by every thread. */
export interface Model<S> {
  /** Shared buffers and plain values; posted to the threads once. */
  createShared(): S;
  /** Brings the buffers into the state in which every execution begins. */
  reset(shared: S): void;
  /** One per thread; a throw is a failed check. */
  readonly programs: readonly Program<S>[];
  /** Looks at the final state of an execution in which all programs ended. */
  check?(shared: S): void;
}

export interface ThreadSetup {
  readonly url: string;
  readonly name: string;
  readonly thread: number;
  readonly shared: unknown;
  readonly control: SharedArrayBuffer;
}
