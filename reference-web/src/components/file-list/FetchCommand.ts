/** The CLI's command for a file of somebody's list. */
import type { ListedFile } from "@kez-chat/sdk/promise"
import { FileName } from "@kez-chat/sdk/protocol"

/** What can stand in a shell's command line as it is. */
const plain = /^[\w@%+=:,./-]+$/

/** An argument for a POSIX shell. */
export const shellArgument = (text: string): string => (plain.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** Letters, their accents, digits and harmless signs. */
const signs = /^(?:\p{L}\p{M}*|[\p{N} ._+=,@:()&#/-])+$/u

/** Scripts that are written from right to left: they would turn the parts of a command around. */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/** Whether every character of a path is seen, and in its place, where it is typed. */
const isReadable = (path: string): boolean =>
  signs.test(path) && !rightToLeft.test(path) && FileName.display(path) === path

/** A file of the user's in a command, as a path where its name would be an option; undefined if it cannot be seen whole. */
export const fileArgument = (name: string): string | undefined =>
  FileName.display(name) === name ? shellArgument(/^[-@]/.test(name) ? `./${name}` : name) : undefined

const pathOf = ({ folder, name }: Pick<ListedFile, "folder" | "name">): string =>
  folder === undefined ? name : `${folder}/${name}`

/**
 * Names the file by its path where that is the newest of its path and can be read and typed without surprises, and by
 * its id otherwise: names are chosen by the owner and may hold anything.
 */
export const fetchCommand = (who: string, file: Pick<ListedFile, "folder" | "name" | "id" | "replacedBy">): string => {
  const path = pathOf(file)
  const entry = file.replacedBy === undefined && isReadable(path) ? path : file.id
  return `kez-chat fetch ${shellArgument(`@${who}/${entry}`)}`
}
