/**
 * Puts a run on disk, in `<parent>/<date>-<plan>-<target>-<commit>/`:
 *
 *     run.json                   everything; the other files can be made from it again (`bench report DIR`), the log not
 *     summary.md  report.html    for people
 *     series.csv                 replies and errors per 100 ms
 *     latency.csv  samples.csv   percentiles and the server's process per second
 *     <phase>.<op>.hgrm          percentile distribution, ms; `<phase>.hgrm` of all requests together
 *     <plan>.hlog                histograms per second and op
 */

import { jsonText } from '../figures/json-text.ts';
import { isRequest } from '../figures/run-tables.ts';
import {
  decodeHistogram,
  fileNameText,
  hlogLines,
  type IntervalHistogram,
  mergeHistograms,
  NameTable,
  writeHgrm,
} from '../latency/hdr-files.ts';
import { type RunResult, runDirName } from '../result/run-json.ts';
import { latencyCsv, samplesCsv, seriesCsv } from './csv.ts';
import { renderRunReport } from './html/run-report.ts';
import { createResultDir, type FileSystem, type ResultFile, writeResult } from './result-dir.ts';
import { renderRunSummary } from './summary-run.ts';

export const RUN_FILE = 'run.json';

/**
 * Returns the directory. `intervals` are read once, one after another, so they may be made while they are read;
 * without them there is no `.hlog`. @throws SaveFailure, with nothing left behind
 */
export function saveRun(
  run: RunResult,
  outDir: string,
  intervals?: Iterable<IntervalHistogram>,
  files?: FileSystem,
): string {
  const dir = createResultDir(outDir, fileNameText(runDirName(run)), files);
  const log = intervals === undefined ? [] : [hlogFile(run, intervals)];
  writeResult(
    dir,
    [...runFiles(run), ...log],
    { name: RUN_FILE, content: jsonText(run) },
    { own: true, files },
  );
  return dir;
}

/** All files that are made from a run alone, without `run.json`. */
export function runFiles(run: RunResult): ResultFile[] {
  return [
    { name: 'summary.md', content: renderRunSummary(run) },
    { name: 'series.csv', content: seriesCsv(run) },
    { name: 'latency.csv', content: latencyCsv(run) },
    { name: 'samples.csv', content: samplesCsv(run) },
    ...hgrmFiles(run),
    { name: 'report.html', content: renderRunReport(run) },
  ];
}

function hlogFile(run: RunResult, intervals: Iterable<IntervalHistogram>): ResultFile {
  return {
    name: `${fileNameText(run.plan.name)}.hlog`,
    content: hlogLines(intervals, Date.parse(run.startedAt)),
  };
}

function hgrmFiles(run: RunResult): ResultFile[] {
  const names = new NameTable();
  return run.phases.flatMap(({ plan: { name: phase }, ops }) => {
    const fileOf = (label: string, name: string): string =>
      `${names.nameOf(`${phase}\n${label}`, fileNameText(name))}.hgrm`;
    const all = mergeHistograms(ops.filter(isRequest).map(({ histogram }) => histogram));
    const total = all === null ? [] : [{ name: fileOf('', phase), content: writeHgrm(all) }];
    const single = ops.map(({ label, histogram }) => ({
      name: fileOf(label, `${phase}.${label}`),
      content: writeHgrm(decodeHistogram(histogram)),
    }));
    return [...total, ...single];
  });
}
