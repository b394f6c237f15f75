/**
 * The workload of ATC'10, table 2: create a znode, wait for it, delete it without waiting, create the next one. A
 * worker of the paper is a client here; its rate is that of the label `create`.
 */
import { Prng } from '../../src/base/prng.ts';
import type { Zk } from '../../src/client/index.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import { ValueSource } from '../load/value-source.ts';
import type { Sizes } from '../plan/plan.ts';
import { WorkloadClient, type WorkloadSetting } from './workload-client.ts';

const CREATE = 0;
const DELETE = 1;

export class CreateThenDeleteClient extends WorkloadClient {
  private readonly values: ValueSource;

  constructor(phase: LoadPhase, setting: WorkloadSetting, values: Sizes) {
    super(phase, setting);
    this.values = new ValueSource(values, new Prng(setting.seed));
  }

  protected async work(zk: Zk): Promise<void> {
    const { root, index } = this.setting;
    let last: Promise<unknown> = Promise.resolve();
    for (let count = 0; !this.isOver; count++) {
      const path = `${root}/c${index}-${count}`;
      if ((await this.counted(CREATE, () => zk.create(path, this.values.next()))) === null) continue;
      last = this.counted(DELETE, () => zk.delete(path));
    }
    await last;
  }
}
