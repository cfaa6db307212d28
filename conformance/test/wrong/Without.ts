/** Programs with a check taken out: Node loads their files with a piece of text replaced. */

/** A piece of a file's text, and what stands there instead. */
export type Edit = readonly [find: string, instead: string]

export interface Without {
  /** How the address of the file ends. */
  readonly file: string
  readonly edits: ReadonlyArray<Edit>
}

/**
 * The argument with which Node runs a program so. A file that has not every piece exactly once ends the program, so that
 * no edit is stale.
 */
export const without = (change: Without): string => {
  const code = `
    import { registerHooks } from "node:module"
    const { edits, file } = ${JSON.stringify(change)}
    registerHooks({
      load: (url, context, next) => {
        const loaded = next(url, context)
        if (!url.split("?")[0].endsWith(file)) return loaded
        let source = Buffer.from(loaded.source).toString()
        for (const [find, instead] of edits) {
          const pieces = source.split(find)
          if (pieces.length !== 2) throw new Error(file + " has " + (pieces.length - 1) + " times: " + find)
          source = pieces.join(instead)
        }
        return { ...loaded, source }
      }
    })`
  return `--import=data:text/javascript,${encodeURIComponent(code)}`
}
