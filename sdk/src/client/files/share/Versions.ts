/** Versions of a file: of several shares with one path the newest is current, and older ones name it. */

/** The path of a file among its owner's shares. */
export const pathOf = ({ folder, name }: { readonly folder?: string; readonly name: string }): string =>
  folder === undefined ? name : `${folder}/${name}`

interface Version {
  readonly id: string
  readonly name: string
  readonly folder?: string
  /** Milliseconds since the epoch. */
  readonly sharedAt: number
}

/** Newest first. Ids decide between two of the same second, so that all readers agree. */
export const newestFirst = (a: Version, b: Version): number =>
  b.sharedAt - a.sharedAt || (a.id === b.id ? 0 : a.id < b.id ? 1 : -1)

/** Sets `replacedBy` on older files: the id of the newest of the same path that `replaces` admits. Keeps the order. */
export const withReplacements = <A extends Version>(
  files: ReadonlyArray<A>,
  replaces: (newer: A, older: A) => boolean = () => true
): ReadonlyArray<A & { readonly replacedBy?: string }> => {
  const byPath = new Map<string, Array<A>>()
  for (const file of files) {
    const path = pathOf(file)
    const versions = byPath.get(path)
    if (versions === undefined) byPath.set(path, [file])
    else versions.push(file)
  }
  for (const versions of byPath.values()) versions.sort(newestFirst)
  return files.map((file) => {
    const newer = byPath.get(pathOf(file))!.find((other) => newestFirst(other, file) < 0 && replaces(other, file))
    return newer === undefined ? file : { ...file, replacedBy: newer.id }
  })
}
