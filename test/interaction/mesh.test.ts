/** The rules of the links between election ports, one transcript each. */
import { MeshWorld } from './mesh-world.ts';
import { testTranscripts } from './transcript.ts';

testTranscripts('mesh-', () => new MeshWorld());
