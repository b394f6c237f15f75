/** The words `wchc` and `wchp`: watches of the data table by session, and by path. */
import { hex64 } from '../../base/int64.ts';
import type { ServerView } from '../monitor/server-view.ts';
import type { Steps } from './steps.ts';

export function* watchesBySession(view: ServerView): Steps {
  for (const { sessionId, paths } of view.watchesBySession()) {
    let head = `${hex64(sessionId)}\n`;
    for (const path of paths) {
      yield path === null ? '' : `${head}\t${path}\n`;
      if (path !== null) head = '';
    }
    yield '';
  }
  yield '\n';
}

export function* watchesByPath(view: ServerView): Steps {
  for (const of of view.watchesByPath()) {
    let head = of === null ? '' : `${of.path}\n`;
    for (const sessionId of of?.sessionIds ?? []) {
      yield sessionId === null ? '' : `${head}\t${hex64(sessionId)}\n`;
      if (sessionId !== null) head = '';
    }
    yield '';
  }
  yield '\n';
}
