/** `npm run prepack`: puts the chart library beside the compiled pages, so that the release needs no package for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKED_NAME, packEcharts } from './echarts-library.ts';

const packed = packEcharts();
if (packed === null) {
  process.stderr.write('echarts is not installed: run npm ci, with development packages\n');
  process.exit(1);
}
writeFileSync(join(import.meta.dirname, '../../../dist/bench/report/html', PACKED_NAME), packed);
