/** The rules of fast leader election, one transcript each. */
import { ElectionWorld } from './election-world.ts';
import { testTranscripts } from './transcript.ts';

testTranscripts('election-', () => new ElectionWorld());
