/** A socket with one frame written again and again, and its replies counted: what no client can be faster than. */

import { oneByOne, report, taskOfCommandLine } from './harness.mjs';
import { connectRaw } from './raw-connection.mjs';

const task = taskOfCommandLine();
const raw = await connectRaw(task.address, task.path);
report(await oneByOne(task, raw.get));
raw.end();
