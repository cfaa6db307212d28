/** Help that fits the terminal: long descriptions are wrapped in their own column. */
import * as CliOutput from "effect/cli/CliOutput"
import type { FlagDoc, HelpDoc } from "effect/cli/HelpDoc"
import * as Option from "effect/Option"

/** Wraps one line between words and indents the rest to its last column. Colours take no columns. */
const breakLine = (line: string, columns: number): string => {
  if (CliOutput.displayWidth(line) <= columns) return line
  const [, left, text] = /^(\s*(?:\S+(?: \S+)* {2,})?)(.*)$/.exec(line)!
  const indent = CliOutput.displayWidth(left!)
  if (indent > columns / 2) return line
  let broken = left!
  let width = indent
  for (const [index, word] of text!.split(" ").entries()) {
    const length = CliOutput.displayWidth(word)
    if (index > 0 && width + 1 + length > columns) {
      broken += `\n${" ".repeat(indent)}`
      width = indent
    } else if (index > 0) {
      broken += " "
      width += 1
    }
    broken += word
    width += length
  }
  return broken
}

/** Fits text to a terminal of this many columns. */
export const fit = (text: string, columns: number): string =>
  text
    .split("\n")
    .map((line) => breakLine(line, columns))
    .join("\n")

/** The list of shells is part of the description; in the flag's own column it would widen every other row. */
const shorten = (flag: FlagDoc): FlagDoc =>
  flag.name === "completions"
    ? { ...flag, type: "SHELL", description: Option.some("Print completions for bash, zsh, fish or powershell") }
    : flag

/** The library's help, shortened, and fitted to `columns` where there is a terminal. */
export const formatter = (columns: number | undefined, colors: boolean): CliOutput.Formatter => {
  const standard = CliOutput.defaultFormatter({ colors })
  return {
    ...standard,
    formatHelpDoc: (doc: HelpDoc) => {
      const { globalFlags } = doc
      const text = standard.formatHelpDoc(globalFlags ? { ...doc, globalFlags: globalFlags.map(shorten) } : doc)
      return columns === undefined ? text : fit(text, columns)
    }
  }
}
