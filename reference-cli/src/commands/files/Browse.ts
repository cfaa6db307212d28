/** Lists what a contact shares with this account, even while the contact is away. */
import type { Contact, ListedFile } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as CommandLine from "../../profile/CommandLine.ts"
import {
  Columns,
  Json,
  Quantity,
  result,
  Sanitise,
  Screen,
  Show,
  type Style,
  warn
} from "../../terminal/output/index.ts"
import { contactOf, withAccess } from "../WithAccess.ts"

const byPath = (a: ListedFile, b: ListedFile): number => {
  const folders = (a.folder ?? "").localeCompare(b.folder ?? "")
  return folders !== 0 ? folders : a.name.localeCompare(b.name)
}

/** Columns of everything but the name: id, size, day, and the gaps. */
const otherColumns = 8 + 8 + 10 + 3 * 2
const typeColumns = { least: 12, most: 24 }

/** One line per file, the name as wide as the terminal allows. */
const table = (files: ReadonlyArray<ListedFile>, columns: number, style: Style): ReadonlyArray<string> => {
  const names = files.map(Show.fileName)
  const types = files.map((file) => Columns.cut(Sanitise.line(file.mediaType), typeColumns.most))
  const longest = (texts: ReadonlyArray<string>) => Math.max(...texts.map(Columns.width))
  const typeWidth = longest(types)
  const room = columns - otherColumns
  const withTypes = room - typeWidth - 2 >= Math.min(longest(names), 24)
  const width = Math.max(8, Math.min(longest(names), withTypes ? room - typeWidth - 2 : room))
  return files.map((file, index) =>
    [
      Show.shortId(file.id),
      Columns.pad(Columns.cut(names[index]!, width), width),
      Quantity.bytes(file.size).padStart(8),
      ...(withTypes ? [style.dim(Columns.pad(types[index]!, typeWidth))] : []),
      [
        style.dim(Show.day(file.sharedAt)),
        ...(file.public ? [style.dim("public")] : []),
        ...(file.replacedBy === undefined ? [] : [style.dim("older version")])
      ].join("  ")
    ].join("  ")
  )
}

/** The most likely next command. */
const next = (owner: Contact, files: ReadonlyArray<ListedFile>, first: ListedFile): string => {
  const name = Show.exactName(owner)
  if (owner.state !== "accepted") return `accept ${name}`
  const what = files.some(({ folder }) => folder !== undefined) ? "ID-OR-FOLDER" : Show.shortId(first.id)
  return `fetch ${CommandLine.argument(`@${name}/${what}`)}`
}

export interface Input {
  readonly who: string
  /** Show older versions of a path too. */
  readonly all: boolean
}

export const browse = ({ who, all }: Input) =>
  withAccess(
    { command: "browse" },
    Effect.fnUntraced(function* ({ chat, paths }) {
      const screen = yield* Screen
      const account = yield* chat.account
      const owner = yield* contactOf(chat, who)
      const listing = yield* chat.browse(owner.primary)
      const files = listing.files.toSorted(byPath)
      const columns = (yield* screen.columns) ?? 120
      const name = Show.name(listing.owner)
      if (listing.source === "kept") {
        const when =
          listing.createdAt === undefined ? "" : ` of ${Show.day(listing.createdAt)} ${Show.clock(listing.createdAt)}`
        yield* warn(`the home server cannot be asked: this is the list${when} that was seen before`)
      }
      yield* result({
        json: () => Json.listing({ ...listing, files }),
        text: (style) => {
          const mine = listing.owner.primary === account.primary
          const shown = all ? files : files.filter(({ replacedBy }) => replacedBy === undefined)
          const [first] = shown
          if (first === undefined) return mine ? "Your list is empty." : `${style.name(name)} shares nothing with you.`
          const size = Quantity.bytes(shown.reduce((sum, file) => sum + file.size, 0))
          const amount = `${Quantity.count(shown.length, "file")}, ${size}`
          const older = files.length - shown.length
          return [
            mine
              ? `Your list as others see their part of it: ${amount}`
              : `${style.name(name)} shares with you: ${amount}`,
            "",
            ...table(shown, columns, style),
            ...(older === 0
              ? []
              : [style.dim(`(${Quantity.count(older, "older version")} not shown: --all shows them)`)]),
            "",
            `    ${CommandLine.line(paths.name, mine ? "shared" : next(listing.owner, files, first))}`
          ]
        }
      })
    })
  )
