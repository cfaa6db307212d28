/** `kez-chat-server admin report`: what people report of each other. */
import { PrimaryKey } from "@kez-chat/sdk/protocol"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { Registry } from "../../../storage/Registry.ts"
import { Reports, type Summary } from "../../../storage/Reports.ts"
import { registryFlags } from "../ServeCommand.ts"
import { by, confirm, json, note, onOneLine, withRegistry, yes } from "./AdminContext.ts"

const id = Argument.String("id").pipe(Argument.withDescription("As `report list` shows it"))

const line = ({ closedAt, id, messages, note, reason, receivedAt, reported, reporter }: Summary): string =>
  `${id} ${receivedAt} ${reported} by ${reporter}: ${reason}, ${messages} messages${closedAt === null ? "" : `, closed ${closedAt}`} ${onOneLine(note)}`.trimEnd()

const list = Command.make(
  "list",
  {
    ...registryFlags,
    all: Flag.Boolean("all").pipe(Flag.withDescription("Closed ones too"), Flag.withDefault(false)),
    json
  },
  Effect.fn("admin.report.list")(function* (flags) {
    for (const report of yield* (yield* Reports).list(flags.all)) {
      yield* Console.log(flags.json ? JSON.stringify(report) : line(report))
    }
  }, withRegistry)
).pipe(Command.withDescription("Lists reports, the newest first."))

const show = Command.make(
  "show",
  { ...registryFlags, id, json },
  Effect.fn("admin.report.show")(function* (flags) {
    const report = yield* (yield* Reports).show(flags.id)
    if (flags.json) return yield* Console.log(JSON.stringify(report))
    const registry = yield* Registry
    const reported = yield* registry.find(report.reported)
    yield* Console.log(line(report))
    yield* Console.log(`${reported.handle} is ${reported.state}, ${PrimaryKey.ofHex(reported.primaryHex)}`)
    for (const { body, createdAt, id } of report.shown) {
      const text = typeof body["text"] === "string" ? body["text"] : JSON.stringify(body)
      yield* Console.log(`${createdAt} ${id} ${onOneLine(text)}`)
    }
    yield* Console.log(
      `${report.reported}'s key signed these messages. Their times are ${report.reported}'s own, and what else was written is not shown.`
    )
  }, withRegistry)
).pipe(Command.withDescription("Shows a report with its messages, whose signatures are checked."))

const close = Command.make(
  "close",
  { ...registryFlags, id, note, json },
  Effect.fn("admin.report.close")(function* (flags) {
    yield* (yield* Reports).close(flags.id, by(flags.note))
    yield* Console.log(flags.json ? JSON.stringify({ id: flags.id, closed: true }) : `report ${flags.id} is closed`)
  }, withRegistry)
).pipe(Command.withDescription("Marks a report as dealt with. It is removed 90 days later."))

const remove = Command.make(
  "delete",
  { ...registryFlags, id, note, yes, json },
  Effect.fn("admin.report.delete")(function* (flags) {
    const reports = yield* Reports
    yield* reports.show(flags.id)
    if (!flags.yes) yield* confirm(`Report ${flags.id} is lost for good.`, flags.id)
    yield* reports.delete(flags.id, by(flags.note))
    yield* Console.log(flags.json ? JSON.stringify({ id: flags.id, deleted: true }) : `report ${flags.id} is deleted`)
  }, withRegistry)
).pipe(Command.withDescription("Removes a report for good, open or closed."))

export const report = Command.make("report").pipe(
  Command.withDescription("Reports of accounts: what people say of each other, with messages that are proven."),
  Command.withSubcommands([list, show, close, remove])
)
