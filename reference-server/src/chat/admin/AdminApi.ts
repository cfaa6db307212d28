/**
 * The HTTP contract of the operator's API on the internal listener: what `kez-chat-server admin` does, for programs. Its
 * OpenAPI document is `GET /internal/admin/openapi.json`.
 */
import { ProblemBody } from "@kez-chat/sdk/api"
import type { Problem } from "@kez-chat/sdk/protocol"
import * as Context from "effect/Context"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"

const { problems } = ProblemBody

/** Who uses the API, as the audit names them. */
export class Actor extends Context.Service<Actor, string>()("@kez-chat/server/Actor") {}

/** Lets in who presents a token that `admin token create` made, or the secret in keys-dir/internal.secret. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: Actor }>()(
  "@kez-chat/server/Authorization",
  {
    security: { bearer: HttpApiSecurity.bearer },
    error: problems("unauthorized", "unavailable")
  }
) {}

/** Bytes of a request's body. */
export const bodyBytes = 16 * 1024
const noteCharacters = 2_000

/** Of a request. PostgreSQL keeps no NUL. */
const Text = Schema.String.check(Schema.isPattern(/^[^\0]*$/))
const NoteText = Text.check(Schema.isMaxLength(noteCharacters))
const Time = Schema.String.annotate({ description: "RFC 3339 UTC" })
const Maybe = Schema.NullOr(Time)
const Bytes = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Count = (most: number) =>
  Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).check(Schema.isLessThanOrEqualTo(most))
/** Of a query, which is text. */
const Limit = Schema.String.check(Schema.isPattern(/^[1-9][0-9]{0,3}$/)).annotate({ description: "1 to 9999" })

const states = ["active", "suspended", "deleted", "revoked"] as const

const account = {
  handle: Schema.String.annotate({ description: "The part before the @" }),
  primaryHex: Schema.String,
  state: Schema.Literals(states),
  registeredAt: Time,
  endedAt: Maybe,
  suspendedAt: Maybe,
  invite: Schema.NullOr(Schema.String).annotate({ description: "Id of the invite that it registered with" })
}
const Account = Schema.Struct(account).annotate({ identifier: "Account" })

const AuditEntry = Schema.Struct({
  id: Schema.Int,
  at: Time,
  actor: Schema.String,
  action: Schema.String,
  subject: Schema.String,
  note: Schema.String
}).annotate({ identifier: "AuditEntry" })

const AccountDetails = Schema.Struct({
  ...account,
  primary: Schema.String,
  formerKeys: Schema.Array(Schema.Struct({ primary: Schema.String, movedAt: Time, fetchUntil: Time })).annotate({
    description: "The keys that it had before, the newest first, and until when each can fetch its mail"
  }),
  mailBytes: Bytes,
  ownCopyBytes: Bytes,
  manifestBytes: Bytes,
  openReports: Bytes,
  audit: Schema.Array(AuditEntry)
}).annotate({ identifier: "AccountDetails" })

const invite = {
  id: Schema.String,
  uses: Schema.Int,
  used: Schema.Int,
  createdAt: Time,
  expiresAt: Maybe,
  revokedAt: Maybe,
  note: Schema.String
}
const Invite = Schema.Struct(invite).annotate({ identifier: "Invite" })
const NewInvite = Schema.Struct({ ...invite, code: Schema.String }).annotate({
  identifier: "NewInvite",
  description: "The code is told this once"
})

const Reserved = Schema.Struct({ handle: Schema.String, reserved: Schema.Boolean, note: Schema.String }).annotate({
  identifier: "Reserved"
})

const Note = Schema.Struct({ note: Schema.optionalKey(NoteText) }).annotate({
  identifier: "Note",
  description: "The reason, kept in the audit"
})

const always = ["unavailable", "internal", "request_malformed"] as const satisfies ReadonlyArray<Problem.Code>
const change = { params: { handle: Text }, payload: Note, success: Account } as const
const ended = problems("handle_not_found", "handle_deleted", ...always)
const describe = (summary: string, description = "") => OpenApi.annotations({ summary, description })

export class AccountsGroup extends HttpApiGroup.make("accounts").add(
  HttpApiEndpoint.get("list", "/internal/admin/accounts", {
    query: {
      state: Schema.optionalKey(Schema.Literals(states)),
      after: Schema.optionalKey(Text),
      limit: Schema.optionalKey(Limit)
    },
    success: Schema.Array(Account),
    error: problems(...always)
  }).annotateMerge(describe("List accounts", "In handle order; `after` is the last handle of the page before.")),
  HttpApiEndpoint.get("show", "/internal/admin/accounts/:handle", {
    params: { handle: Text },
    success: AccountDetails,
    error: problems("handle_not_found", ...always)
  }).annotateMerge(describe("Show an account", "Its state, what it stores, and what operators did to it.")),
  HttpApiEndpoint.post("suspend", "/internal/admin/accounts/:handle/suspend", {
    ...change,
    error: ended
  }).annotateMerge(
    describe("Suspend an account", "No login, no sending, no lookup, until it is lifted; mail is kept.")
  ),
  HttpApiEndpoint.post("unsuspend", "/internal/admin/accounts/:handle/unsuspend", {
    ...change,
    error: ended
  }).annotateMerge(describe("Lift a suspension")),
  HttpApiEndpoint.post("revoke", "/internal/admin/accounts/:handle/revoke", {
    ...change,
    payload: Schema.Struct({ note: Schema.optionalKey(NoteText), confirm: Schema.String }),
    error: problems("handle_not_found", ...always)
  }).annotateMerge(describe("Revoke an account for good", "`confirm` repeats the handle.")),
  HttpApiEndpoint.get("reserved", "/internal/admin/reserved", {
    success: Schema.Array(Reserved),
    error: problems(...always)
  }).annotateMerge(describe("List reserved names", "The operator's own entries, without the built-in list.")),
  HttpApiEndpoint.put("reserve", "/internal/admin/reserved/:handle", {
    params: { handle: Text },
    payload: Schema.Struct({ reserved: Schema.Boolean, note: Schema.optionalKey(NoteText) }),
    success: Reserved,
    error: problems("handle_malformed", ...always)
  }).annotateMerge(describe("Reserve a name, or lift that"))
) {}

export class InvitesGroup extends HttpApiGroup.make("invites").add(
  HttpApiEndpoint.get("listInvites", "/internal/admin/invites", {
    success: Schema.Array(Invite),
    error: problems(...always)
  }).annotateMerge(describe("List invites", "The newest first, without their codes.")),
  HttpApiEndpoint.post("createInvite", "/internal/admin/invites", {
    payload: Schema.Struct({
      uses: Schema.optionalKey(Count(1_000_000)),
      expiresInSeconds: Schema.optionalKey(Count(315_360_000)),
      note: Schema.optionalKey(NoteText)
    }),
    success: NewInvite.pipe(HttpApiSchema.status(201)),
    error: problems(...always)
  }).annotateMerge(describe("Make an invite", "For one registration, and without an end, unless it says otherwise.")),
  HttpApiEndpoint.post("revokeInvite", "/internal/admin/invites/:id/revoke", {
    params: { id: Text },
    payload: Note,
    success: HttpApiSchema.NoContent,
    error: problems("not_found", ...always)
  }).annotateMerge(describe("End an invite", "Accounts that registered with it stay."))
) {}

const report = {
  id: Schema.String,
  receivedAt: Time,
  reporter: Schema.String,
  reported: Schema.String,
  reason: Schema.String,
  note: Schema.String,
  messages: Schema.Int,
  closedAt: Maybe
}
const ReportSummary = Schema.Struct(report).annotate({ identifier: "Report" })
const ReportDetails = Schema.Struct({
  ...report,
  shown: Schema.Array(Schema.Struct({ id: Schema.String, createdAt: Time, body: Schema.JsonObject })),
  statement: Schema.JsonObject
}).annotate({ identifier: "ReportDetails" })

export class ReportsGroup extends HttpApiGroup.make("reports").add(
  HttpApiEndpoint.get("listReports", "/internal/admin/reports", {
    query: { all: Schema.optionalKey(Schema.Literals(["true", "false"])) },
    success: Schema.Array(ReportSummary),
    error: problems(...always)
  }).annotateMerge(describe("List reports", "Those that are not closed, or all; the newest first, at most 1,000.")),
  HttpApiEndpoint.get("showReport", "/internal/admin/reports/:id", {
    params: { id: Text },
    success: ReportDetails,
    error: problems("not_found", ...always)
  }).annotateMerge(
    describe("Show a report", "With its messages, whose signatures are checked, and the signed statement.")
  ),
  HttpApiEndpoint.post("closeReport", "/internal/admin/reports/:id/close", {
    params: { id: Text },
    payload: Note,
    success: HttpApiSchema.NoContent,
    error: problems("not_found", ...always)
  }).annotateMerge(describe("Mark a report as dealt with", "It is removed 90 days later.")),
  HttpApiEndpoint.post("deleteReport", "/internal/admin/reports/:id/delete", {
    params: { id: Text },
    payload: Note,
    success: HttpApiSchema.NoContent,
    error: problems("not_found", ...always)
  }).annotateMerge(describe("Remove a report for good", "Open or closed."))
) {}

export class AuditGroup extends HttpApiGroup.make("audit").add(
  HttpApiEndpoint.get("entries", "/internal/admin/audit", {
    query: {
      subject: Schema.optionalKey(Text),
      before: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[1-9][0-9]{0,14}$/))),
      limit: Schema.optionalKey(Limit)
    },
    success: Schema.Array(AuditEntry),
    error: problems(...always)
  }).annotateMerge(describe("What operators did", "The newest first; `before` is the last id of the page before."))
) {}

export class AdminApi extends HttpApi.make("kez-chat-admin")
  .add(AccountsGroup)
  .add(InvitesGroup)
  .add(ReportsGroup)
  .add(AuditGroup)
  .middleware(Authorization)
  .annotateMerge(
    OpenApi.annotations({
      title: "kez-chat-server, for its operator",
      description:
        "On the internal listener only. The bearer token is one of `kez-chat-server admin token create`, or the secret in keys-dir/internal.secret. Errors are RFC 9457 problems.",
      license: { name: "Apache-2.0 OR MIT" }
    })
  ) {}
