/** The rules between a leader and its learners, one transcript each. */
import { testTranscripts } from './transcript.ts';
import { ZabWorld } from './zab-world.ts';

testTranscripts('zab-', () => new ZabWorld());
