/**
 * Sorts a command line before it is parsed, by the definition of its command: flags first, then `--`, then everything
 * else. So a value, an id or a text never turns into a flag, whatever it looks like.
 *
 * A flag is `--name`, `--name=value` or the one letter of a flag that is known. Anything else that begins with a dash is
 * an argument where the command takes arguments: `-aEhQ1XN`, `- hello`, `-5`. After `--` everything is one.
 */
import { Blank } from "@kez-chat/sdk/protocol"
import * as Context from "effect/Context"
import * as Result from "effect/Result"
import type * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Param from "effect/cli/Param"
import * as Flags from "./Flags.ts"

/** The parameters that a command was defined with. */
export class Parameters extends Context.Reference<ReadonlyArray<Param.Any>>("@kez-chat/cli/Parameters", {
  defaultValue: () => []
}) {}

/** A command line that cannot be understood: the reason, and the command it is about. */
export interface Misuse {
  readonly path: ReadonlyArray<string>
  readonly message: string
}

type Single = Param.Single<Param.ParamKind, unknown>

const singleOf = (param: Param.Any): Single => (Param.isSingle(param) ? param : singleOf(inner(param)))
const inner = (param: Param.Any): Param.Any => (param as Param.Optional<Param.ParamKind, unknown>).param

/** Flags and arguments of a command. */
export const singlesOf = (command: Command.Command.Any): ReadonlyArray<Single> =>
  Context.get(command.annotations, Parameters).map(singleOf)

const helpFlag = singleOf(GlobalFlag.Help.flag)
const actions: ReadonlyArray<Single> = [
  helpFlag,
  singleOf(GlobalFlag.Version.flag),
  singleOf(GlobalFlag.Completions.flag)
]
/** Flags that every command takes. */
export const globals: ReadonlyArray<Single> = [...Flags.all.map(({ flag }) => singleOf(flag)), ...actions]

export const isBoolean = ({ primitiveType }: Single): boolean => primitiveType._tag === "Boolean"

/** The arguments before `--`. */
export const beforeEnd = (args: ReadonlyArray<string>): ReadonlyArray<string> =>
  args.slice(0, args.includes("--") ? args.indexOf("--") : undefined)

const isNumber = (text: string): boolean => /^-(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)
const isDashed = (text: string): boolean => text.length > 1 && text.startsWith("-") && !isNumber(text)
/** Anything that looks like a flag, known or not: a mistyped flag must not become a text that is sent. */
const flagForm = /^(?:--(?<name>[a-z][a-z0-9-]*)|-(?<letter>[a-z]))(?:=(?<value>.*))?$/is

interface Found {
  readonly flag: Single
  readonly isNegated: boolean
  readonly value: string | undefined
}

const find = (flags: ReadonlyArray<Single>, text: string): Found | "unknown" | undefined => {
  const { letter, name, value } = flagForm.exec(text)?.groups ?? {}
  if (name === undefined && letter === undefined) return undefined
  const direct = flags.find((flag) => (name === undefined ? flag.aliases.includes(letter!) : flag.name === name))
  if (direct !== undefined) return { flag: direct, isNegated: false, value }
  const negated = flags.find((flag) => isBoolean(flag) && flag.negation !== false && `no-${flag.name}` === name)
  return negated === undefined ? "unknown" : { flag: negated, isNegated: true, value }
}

const childOf = (command: Command.Command.Any, name: string): Command.Command.Any | undefined =>
  command.subcommands.flatMap(({ commands }) => commands).find((child) => child.name === name)

const empty = (what: string): string =>
  `${what} is empty: an unset variable may have left it so, and an empty name, id, path or text is never meant`

/** The sorted command line, or why it cannot be understood. */
export const normalise = (
  root: Command.Command.Any,
  args: ReadonlyArray<string>
): Result.Result<ReadonlyArray<string>, Misuse> => {
  const before = beforeEnd(args)
  const path: Array<string> = []
  const flags: Array<string> = []
  const operands: Array<string> = []
  let command = root
  let action: Single | undefined
  let afterAction = 0
  const fail = (message: string) => Result.fail({ path, message })

  for (let index = 0; index < before.length; index++) {
    const text = before[index]!
    const found = isDashed(text) ? find([...globals, ...singlesOf(command)], text) : undefined
    if (found === "unknown") flags.push(text)
    else if (found === undefined) {
      const child = operands.length === 0 ? childOf(command, text) : undefined
      if (child === undefined) {
        operands.push(text)
        if (action !== undefined) afterAction += 1
      } else {
        command = child
        path.push(text)
      }
    } else if (isBoolean(found.flag)) {
      if (actions.includes(found.flag)) action ??= found.flag
      // Written out, because `--json yes` is a flag followed by a text.
      flags.push(found.isNegated || found.value !== undefined ? text : `--${found.flag.name}=true`)
    } else {
      const { name } = found.flag
      if (actions.includes(found.flag)) action ??= found.flag
      const next = before[index + 1]
      const value = found.value ?? (next === undefined || isDashed(next) ? undefined : next)
      if (value !== undefined && found.value === undefined) index += 1
      if (value !== undefined && Blank.isBlank(value)) return fail(empty(`--${name}`))
      flags.push(value === undefined ? `--${name}` : `--${name}=${value}`)
    }
  }

  const trailing = args.slice(before.length + 1)
  const all = [...operands, ...trailing]
  if (action !== undefined) {
    const isHelp = action === helpFlag
    // `send bob --help` asks for help. In `send bob --help me` it may be part of a message, which would silently not be
    // sent.
    const others = isHelp ? afterAction + trailing.length : path.length + all.length
    if (others > 0) return fail(`--${action.name} stands alone: text that begins with a dash comes after --`)
    return Result.succeed([...path, ...flags])
  }
  const blank = all.findIndex(Blank.isBlank)
  if (blank >= 0) return fail(empty(`argument ${blank + 1}`))
  const takesOperands = singlesOf(command).some(({ kind }) => kind === Param.argumentKind)
  if (takesOperands) return Result.succeed([...path, ...flags, "--", ...all])
  const [first] = all
  if (first === undefined) return Result.succeed([...path, ...flags])
  if (command.subcommands.length > 0 && path.length === 0 && operands.length > 0 && !isDashed(first)) {
    // Left to the parser, which suggests commands of similar spelling.
    return Result.succeed([...flags, first])
  }
  return fail(
    path.length === 0
      ? operands.length === 0
        ? "the command comes before --"
        : `${JSON.stringify(first)} is not a command`
      : `\`${path.join(" ")}\` takes no argument, and ${JSON.stringify(first)} is one`
  )
}
