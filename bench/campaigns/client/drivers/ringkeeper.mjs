/** `ringkeeper/client` and its recipes, as a program uses them. The protocol of drivers stands in `harness.mjs`. */
import { connect } from '../../../../src/client/index.ts';
import { filled, inTurn, loops, oneByOne, report, taskOfCommandLine, WINDOW } from './harness.mjs';
import { connectRaw } from './raw-connection.mjs';

const task = taskOfCommandLine();
const { address, path } = task;
const zk = await connect(address);

switch (task.task) {
  case 'gets':
    report(await loops(task, WINDOW, () => zk.getData(path)));
    break;
  case 'single':
    report(await oneByOne(task, () => zk.getData(path)));
    break;
  case 'pair': {
    const raw = await connectRaw(address, path);
    report(await inTurn(task, () => zk.getData(path), raw.get));
    raw.end();
    break;
  }
  case 'tree':
    report(await filled(async () => (await zk.cache(path)).size));
    break;
  case 'lock': {
    const { lock } = await import('../../../../src/recipes/index.ts');
    const one = lock(zk, path);
    report(await oneByOne(task, async () => (await one.acquire()).release()));
    break;
  }
  default:
    throw new TypeError(`no task ${task.task}`);
}
await zk.close();
