/** Offered files, and the references by which people name one of them. */
import type { Contact, KezChat, KezChatError, ListedFile, Message, OfferedFile } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import { fail, type Failure, usage } from "../../Failure.ts"
import * as Saved from "../../owner/Saved.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import type { ProfilePaths } from "../../profile/Paths.ts"
import { type Screen, Show } from "../../terminal/output/index.ts"
import { caughtUp } from "../WithAccess.ts"
import * as SavePlan from "./SavePlan.ts"

type Chat = KezChat["Service"]

export interface Offer {
  readonly contact: Contact
  readonly message: Message & { readonly file: OfferedFile }
  /** Where it was saved, if it was fetched. */
  readonly saved?: string
}

const pageSize = 200
/** How many pages of a conversation are searched for offers; an older one is fetched by its whole id. */
const maxPages = 10

const isOffer = (message: Message): message is Offer["message"] =>
  message.file !== undefined && message.direction === "in"

const ofContact = Effect.fnUntraced(function* (chat: Chat, contact: Contact) {
  const found: Array<Offer> = []
  let before: number | undefined
  for (let page = 0; page < maxPages; page++) {
    const messages = yield* chat.history(contact.primary, {
      limit: pageSize,
      ...(before === undefined ? {} : { before })
    })
    found.push(...messages.filter(isOffer).map((message) => ({ contact, message })))
    if (messages.length < pageSize) break
    before = messages[0]!.order
  }
  return found
})

/** All offers except those of blocked contacts, the newest last. */
export const all = Effect.fn("Offers.all")(function* (
  chat: Chat,
  paths: ProfilePaths
): Effect.fn.Return<ReadonlyArray<Offer>, KezChatError> {
  const contacts = (yield* chat.contacts).filter(({ state }) => state !== "blocked")
  const found = (yield* Effect.forEach(contacts, (contact) => ofContact(chat, contact))).flat()
  const saved = Saved.read(paths.saved)
  return found
    .toSorted((a, b) => a.message.order - b.message.order)
    .map((offer) => {
      const path = saved.get(offer.message.file.blobHash)
      return path === undefined ? offer : { ...offer, saved: path }
    })
})

/** One file to fetch. */
export interface Target {
  /** The reference that the SDK takes: a whole id, `@user/` with a whole id, or a ticket. */
  readonly fileRef: string
  /** The folder below the target folder that it belongs in, as its owner named it. */
  readonly within?: string
  /** Its description, if known before the fetch. */
  readonly file?: OfferedFile
}

const wholeId = /^[A-Za-z0-9_-]{22}$/
const partOfId = /^[A-Za-z0-9_-]{4,22}$/
const ticket = /^blob[a-z2-7]{50,}$/

/** A shorter reference to the same file, with the id cut as in listings. */
export const shortened = (fileRef: string): string => {
  const slash = fileRef.indexOf("/")
  const id = fileRef.slice(slash + 1)
  return wholeId.test(id) ? fileRef.slice(0, slash + 1) + Show.shortId(id) : fileRef
}

const ambiguous = (fileRef: string, choices: ReadonlyArray<string>) =>
  usage(`${JSON.stringify(fileRef)} is the beginning of several ids: ${choices.slice(0, 4).join(", ")}`)

const notFound = (message: string) => fail("file_not_found", "notFound", message)

const byPrefix = Effect.fnUntraced(function* (chat: Chat, paths: ProfilePaths, fileRef: string) {
  const matching = Effect.map(all(chat, paths), (offers) =>
    offers.filter(({ message }) => message.id.startsWith(fileRef))
  )
  let found = yield* matching
  if (found.length === 0) {
    yield* caughtUp(chat)
    found = yield* matching
  }
  const [offer] = found
  if (offer === undefined) {
    return yield* notFound(
      `no offer has an id that begins with ${fileRef}: \`${CommandLine.line(paths.name, "fetch")}\` lists them`
    )
  }
  if (found.length > 1)
    return yield* ambiguous(
      fileRef,
      found.map(({ message }) => message.id)
    )
  return [{ fileRef: offer.message.id, file: offer.message.file }]
})

/** The full path of an entry. */
export const pathOf = ({ name, folder }: { readonly name: string; readonly folder?: string | undefined }): string =>
  folder === undefined ? name : `${folder}/${name}`

/** The newest versions of all files below a folder. Subfolders begin with the folder itself. */
const below = (files: ReadonlyArray<ListedFile>, folder: string, owner: string): ReadonlyArray<Target> => {
  const above = folder.includes("/") ? folder.length - folder.slice(folder.lastIndexOf("/") + 1).length : 0
  return files
    .filter((file) => file.folder === folder || file.folder?.startsWith(`${folder}/`) === true)
    .filter(({ replacedBy }) => replacedBy === undefined)
    .map((file) => ({ fileRef: `@${owner}/${file.id}`, within: file.folder!.slice(above), file }))
}

/** The order in which files are fetched and names are assigned. */
export const inOrder = (a: Target, b: Target): number => {
  const named = ({ file, fileRef, within }: Target): SavePlan.Named => ({
    name: file?.name ?? fileRef,
    ...(within === undefined ? {} : { within })
  })
  return SavePlan.order(named(a), named(b))
}

/** An entry by its path or the start of its id, or a folder with everything in it. */
const inManifest = Effect.fnUntraced(function* (chat: Chat, paths: ProfilePaths, who: string, entry: string) {
  const { files } = yield* chat.browse(who)
  const one = (file: ListedFile): ReadonlyArray<Target> => [{ fileRef: `@${who}/${file.id}`, file }]
  const folder = entry.replace(/\/+$/, "")
  const named = files.find((file) => file.replacedBy === undefined && pathOf(file) === entry)
  if (named !== undefined) return one(named)
  const inFolder = below(files, folder, who)
  if (inFolder.length > 0) return inFolder
  const [first, ...others] = partOfId.test(entry) ? files.filter(({ id }) => id.startsWith(entry)) : []
  if (first === undefined) {
    // It may be an offer, or a partly fetched entry that has been unshared since.
    if (wholeId.test(entry)) return [{ fileRef: `@${who}/${entry}` }]
    const name = JSON.stringify(Show.fileName({ name: entry }))
    return yield* notFound(
      `${who} shares no file ${name} with you: \`${CommandLine.line(paths.name, `browse @${who}`)}\` lists what there is`
    )
  }
  if (others.length > 0)
    return yield* ambiguous(
      entry,
      [first, ...others].map(({ id }) => id)
    )
  return one(first)
})

/** The files that a reference stands for: an offer's id or its start, `@user/entry`, `@user/folder` or a ticket. */
export const resolve = (
  chat: Chat,
  paths: ProfilePaths,
  fileRef: string
): Effect.Effect<ReadonlyArray<Target>, Failure, Screen> => {
  if (ticket.test(fileRef)) return Effect.succeed([{ fileRef }])
  if (wholeId.test(fileRef)) {
    return Effect.map(all(chat, paths), (offers) => {
      const file = offers.find(({ message }) => message.id === fileRef)?.message.file
      return [file === undefined ? { fileRef } : { fileRef, file }]
    })
  }
  if (partOfId.test(fileRef)) return byPrefix(chat, paths, fileRef)
  const [, who, entry] = /^@?([^/]+)\/(.+)$/.exec(fileRef) ?? []
  if (who !== undefined && entry !== undefined) return inManifest(chat, paths, who, entry)
  return fileRef.startsWith("@")
    ? Effect.fail(
        usage(
          `${fileRef} is a person: \`${CommandLine.line(paths.name, `browse ${fileRef}`)}\` lists what to fetch from them`
        )
      )
    : Effect.fail(
        usage("what to fetch is an offer's id or its first characters (at least 4), @user/entry, or a ticket")
      )
}
