/** What a connection hears of its session when it comes: the first frame back. Core thread. */
import {
  CONNECT_RESPONSE_FRAME_BYTES_MAX,
  PASSWORD_BYTES,
  writeConnectResponse,
  writeSessionRefusal,
} from '../../wire/connect.ts';
import { OpCode } from '../../wire/opcodes.ts';
import type { Client } from '../client/client.ts';
import type { Replier } from '../client/replier.ts';
import { RequestView } from '../client/request-view.ts';
import type { ServerRole } from '../progress/commit-point.ts';
import type { Progress } from '../progress/progress.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import { writeSessionPassword } from '../session/session-password.ts';
import type { SessionTable } from '../session/session-table.ts';

interface AnswerParts {
  readonly role: ServerRole;
  readonly sessions: SessionTable;
  readonly clock: TurnClock;
  readonly progress: Progress;
  readonly replier: Replier;
}

export class ConnectAnswers {
  private readonly parts: AnswerParts;
  private readonly answered = new RequestView();
  private readonly password = new Uint8Array(PASSWORD_BYTES);

  constructor(parts: AnswerParts) {
    this.parts = parts;
  }

  /** It has its session. */
  welcome(client: Client): void {
    const { sink, conn, session } = client;
    const { sessions, role } = this.parts;
    const high = sessions.idHigh[session]!;
    const low = sessions.idLow[session]!;
    writeSessionPassword(high, low, this.password, 0);
    const at = sink.claim(conn, CONNECT_RESPONSE_FRAME_BYTES_MAX);
    const { hasReadOnlyByte } = client;
    // biome-ignore format: one idea per line
    const end = writeConnectResponse(sink.bytes, sink.view, at,
      sessions.touchTimeoutMs[session]!, high, low,
      this.password, 0,
      hasReadOnlyByte, role.isReadOnly);
    sink.commit(end - at, true);
    this.answered.recall(client, 0, OpCode.createSession, this.parts.clock.nowMs);
    this.parts.replier.count(this.answered, this.parts.progress.committed, end - at);
  }

  /** There is no such session, or it is not this client's. */
  refuse(client: Client): void {
    const { sink, conn } = client;
    const at = sink.claim(conn, CONNECT_RESPONSE_FRAME_BYTES_MAX);
    const end = writeSessionRefusal(sink.bytes, sink.view, at, client.hasReadOnlyByte);
    sink.commit(end - at, true);
  }
}
