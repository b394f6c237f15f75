/** The npm package `node-zookeeper-client`, with its callbacks. */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { oneByOne, pipelined, report, taskOfCommandLine } from './harness.mjs';

const task = taskOfCommandLine();
const library = createRequire(import.meta.url)('node-zookeeper-client');
const client = library.createClient(task.address, { sessionTimeout: 30_000 });
client.connect();
await once(client, 'connected');
const get = (done) => client.getData(task.path, done);
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
