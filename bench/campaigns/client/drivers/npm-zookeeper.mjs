/**
 * The npm package `zookeeper` (an addon around the C client), with its callbacks: they cost less than its promises. Found in
 * the folder that `PACKAGE_FOLDER` names, because it is built for another Node.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { oneByOne, pipelined, report, taskOfCommandLine } from './harness.mjs';

const task = taskOfCommandLine();
const loaded = createRequire(join(process.env.PACKAGE_FOLDER, 'package.json'))('zookeeper');
const ZooKeeper = loaded.default ?? loaded;
const client = new ZooKeeper({
  connect: task.address,
  timeout: 30_000,
  debug_level: ZooKeeper.constants.ZOO_LOG_LEVEL_ERROR,
});
await new Promise((resolve) => {
  client.once('connect', resolve);
  client.init({});
});
const get = (done) =>
  client.a_get(task.path, false, (code, error) => done(code === 0 ? undefined : new Error(error)));
if (task.task === 'gets') report(await pipelined(task, get));
else if (task.task === 'single')
  report(
    await oneByOne(
      task,
      () => new Promise((done, failed) => get((error) => (error ? failed(error) : done()))),
    ),
  );
else throw new TypeError(`no task ${task.task}`);
client.close();
