/**
 * auth and sasl requests. Answered on receipt, past everything that waits in the connection; what a client has proven
 * holds for the requests behind it. Core thread; called by the request order.
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { AuthRequest, SaslRequest } from '../../wire/requests.ts';
import { decodeUtf8 } from '../../wire/utf8.ts';
import { type AuthProviders, areTooManyIds } from '../acl/auth-providers.ts';
import type { Client } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import type { Replier } from '../client/replier.ts';
import type { RequestView } from '../client/request-view.ts';
import type { ReportPort } from '../ports/report-port.ts';
import type { Statistics } from '../progress/statistics.ts';
import type { SessionTable } from '../session/session-table.ts';

/** A jute buffer that is null. */
const NULL_TOKEN = new Uint8Array([0xff, 0xff, 0xff, 0xff]);
/** Such an answer belongs to no transaction. */
const NO_ZXID = 0;

export class Authenticator {
  private readonly statistics: Statistics;
  private readonly providers: AuthProviders;
  private readonly clients: ClientTable;
  private readonly replier: Replier;
  private readonly sessions: SessionTable;
  private readonly reports: ReportPort;
  private readonly auth = new AuthRequest();
  private readonly sasl = new SaslRequest();

  constructor(parts: {
    statistics: Statistics;
    providers: AuthProviders;
    sessions: SessionTable;
    reports: ReportPort;
    clients: ClientTable;
    replier: Replier;
  }) {
    this.statistics = parts.statistics;
    this.providers = parts.providers;
    this.sessions = parts.sessions;
    this.reports = parts.reports;
    this.clients = parts.clients;
    this.replier = parts.replier;
  }

  execute(request: RequestView): void {
    if (request.op === OpCode.sasl) this.answerSasl(request);
    else this.authenticate(request);
  }

  // Without SASL on the server Apache answers with success and no token, but not a token that is null.
  private answerSasl(request: RequestView): void {
    const { client, bytes, view, start, end } = request;
    if (!this.sasl.wrap(bytes, view, start, end) || this.sasl.tokenLength < 0) this.clients.close(client);
    else this.replier.sliceAt(request, NO_ZXID, NULL_TOKEN, 0, NULL_TOKEN.length);
  }

  private authenticate(request: RequestView): void {
    const { auth } = this;
    const { client, bytes, view, start, end } = request;
    if (!auth.wrap(bytes, view, start, end)) {
      this.clients.close(client);
      return;
    }
    const scheme = decodeUtf8(bytes, auth.schemeStart, auth.schemeStart + Math.max(auth.schemeLength, 0));
    const data = auth.authLength < 0 ? null : bytes.slice(auth.authStart, auth.authStart + auth.authLength);
    const known = client.authIds;
    const proven = this.providers.authenticate(scheme, data);
    const added = proven?.filter((id) => !known.some((k) => k.scheme === id.scheme && k.id === id.id));
    const ids = added === undefined ? null : [...known, ...added];
    if (ids === null || areTooManyIds(ids)) {
      this.statistics.authFailures++;
      this.tellFailure(client, scheme);
      this.replier.headerAt(request, NO_ZXID, ErrorCode.authFailed);
      this.clients.close(client);
      return;
    }
    client.authIds = ids;
    this.replier.headerAt(request, NO_ZXID, ErrorCode.ok);
  }

  private tellFailure({ address, port, session }: Client, scheme: string): void {
    const idHigh = session < 0 ? 0 : this.sessions.idHigh[session]!;
    const idLow = session < 0 ? 0 : this.sessions.idLow[session]!;
    this.reports.authFailed(address, port, idHigh, idLow, scheme);
  }
}
