/**
 * The workload of ATC'10, table 2: create a znode, wait for it, delete it without waiting, create the next one. A
 * worker of the paper is a connection here; its rate is that of the label `create`.
 */
import { Prng } from '../../src/base/prng.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { SessionSocket } from '../load/session-socket.ts';
import { ValueSource } from '../load/value-source.ts';
import type { Sizes } from '../plan/plan.ts';
import { createRequest, deleteRequest } from '../session/frames.ts';
import { RecipeClient, type RecipeSetting } from './recipe-client.ts';

const CREATE = 0;
const DELETE = 1;

export class CreateThenDeleteClient extends RecipeClient {
  private readonly values: ValueSource;
  private count = 0;

  constructor(socket: SessionSocket, phase: LoadPhase, setting: RecipeSetting, values: Sizes) {
    super(socket, phase, setting);
    this.values = new ValueSource(values, new Prng(setting.seed));
  }

  protected override start(): void {
    this.next();
  }

  protected override onSessionLost(): void {}

  private next(): void {
    if (this.over) {
      this.stop();
      return;
    }
    const path = `${this.setting.root}/c${this.setting.index}-${this.count++}`;
    this.send(CREATE, createRequest(path, this.values.next()), () => {
      this.send(DELETE, deleteRequest(path), () => {});
      this.next();
    });
  }
}
