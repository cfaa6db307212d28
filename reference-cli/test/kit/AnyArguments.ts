/** Command lines of any kind for every command of the definition, and what each command has done when it exits with 0. */
import * as fc from "fast-check"
import { Schema } from "effect"
import type { Command, Param } from "effect/cli"
import * as fs from "node:fs"
import * as path from "node:path"
import { expect } from "vitest"
import * as Arguments from "../../src/Arguments.ts"
import { cli } from "../../src/Cli.ts"
import { ExitCode } from "../../src/ExitCode.ts"
import { read, type Shape } from "./Program.ts"
import * as Shapes from "./Shapes.ts"

type AnyCommand = Command.Command.Any

const below = (command: AnyCommand, path: ReadonlyArray<string>): ReadonlyArray<readonly [string, AnyCommand]> =>
  command.subcommands
    .flatMap(({ commands }) => commands)
    .flatMap((child) => [[[...path, child.name].join(" "), child] as const, ...below(child, [...path, child.name])])

/** Every command by its words, those below others and unlisted ones too. */
export const commands: ReadonlyMap<string, AnyCommand> = new Map(below(cli, []))

interface Oracle {
  /** What stands on standard output when it is done: text. */
  readonly text: RegExp
  /** The same with `--json`: one value, or one a line. */
  readonly json: Shape<unknown>
  /** It has something to say where there is no account. */
  readonly alone?: true
  /** A sentence on standard error is enough: that the file is here already. `--quiet` leaves it out. */
  readonly notes?: true
  /** It may wait for others, for as long as it takes. */
  readonly waits?: true
}

const changed: Oracle = { text: /^\S.*\n/, json: Shapes.ContactResult }

/** What each command says of what it did. A command that is not here fails the test: say what it does. */
export const oracles: Readonly<Record<string, Oracle>> = {
  register: { text: /^Registered /, json: Shapes.Account },
  restore: { text: /^Restored /, json: Shapes.Account },
  whoami: { text: /ed25519:/, json: Shapes.Whoami },
  profiles: { text: /\S/, json: Shapes.Profiles, alone: true },
  words: { text: /^(\w+ ){23}\w+\n$|^Written to /, json: Shapes.WordsWritten },
  unlock: { text: /^(Open|Already open)/, json: Shapes.Unlocked },
  lock: { text: /^Locked/, json: Shapes.Locked },
  "delete-account": { text: / is deleted/, json: Shapes.Deleted },
  add: { ...changed, text: /^Added / },
  contacts: { text: /\S/, json: Shapes.Contacts },
  rotate: { text: /^Rotated /m, json: Shapes.Rotated, waits: true },
  prove: { text: /^(To prove that |Proven: )/m, json: Shapes.Prove, waits: true },
  proofs: { text: /\S/, json: Shapes.Proofs },
  revoke: { text: /^Taken back /, json: Shapes.Revoked },
  introduce: {
    text: /^(Introduced |Taken back: |No introductions )|introduced /,
    json: Schema.Union([Shapes.Introductions, Shapes.Sent])
  },
  verify: { text: /^Safety number/m, json: Shapes.Verification },
  requests: { text: /\S/, json: Schema.Union([Shapes.Requests, Shapes.Held]) },
  "requests accept": { ...changed, text: /^Accepted / },
  accept: { ...changed, text: /^Accepted / },
  keep: { ...changed, text: /^(Kept|There is nothing to decide)/ },
  block: { ...changed, text: /^Blocked / },
  unblock: { ...changed, text: /^Unblocked / },
  report: { text: /^Reported /, json: Shapes.Reported },
  remove: { text: /^Removed /, json: Shapes.Removed },
  send: { text: /^(Stored|Delivered|Queued) /, json: Shapes.Sent, waits: true },
  listen: { text: /^/, json: Shapes.Event, waits: true },
  chat: { text: /^/, json: Shapes.Event, waits: true },
  history: { text: /\S/, json: Schema.Union([Shapes.History, Shapes.HistoryCheck]) },
  evidence: { text: /^(\{|signed)/, json: Schema.Union([Shapes.EvidenceFile, Shapes.Evidence]), notes: true },
  inbox: { text: /\S/, json: Shapes.Inbox },
  export: { text: /^\{/, json: Shapes.ExportItem },
  share: { text: /^Shared /m, json: Shapes.ShareLine, waits: true },
  fetch: { text: /\S/, json: Shapes.FetchLine, waits: true, notes: true },
  browse: { text: /\S/, json: Shapes.Listing },
  shared: { text: /\S/, json: Shapes.Shared },
  unshare: { text: /\S/, json: Shapes.Unshared },
  serve: { text: /^/, json: Shapes.ServeLine, waits: true },
  settings: { text: /^read receipts/, json: Shapes.Settings },
  doctor: { text: /\S/, json: Shapes.Doctor }
}

/**
 * Commands that are not people's to type: the background process that `unlock` starts with a seed on its standard input.
 */
export const internal: ReadonlySet<string> = new Set(["owner"])

/** What is there, or looks like it. */
const named = fc.constantFrom(
  "bob",
  "@bob",
  "bob@localhost",
  "alice",
  "carol",
  "a.txt",
  "folder",
  "@bob/a.txt",
  "@bob/folder"
)

/** Nothing here leaves the loopback or the folder that a command runs in. */
const hostile = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "\u200b",
    "-",
    "--",
    "---",
    "-5",
    "- hello",
    "-aEhQ1XN",
    "--help",
    "-h",
    "--version",
    "--json"
  ),
  fc.constantFrom(
    "x/y",
    "../../x",
    "/etc/passwd",
    "/dev/full",
    "..",
    ".",
    "~",
    "NaN",
    "Infinity",
    "1e9",
    "0x10",
    "-1",
    "0"
  ),
  fc.constantFrom(
    "9".repeat(20),
    "9007199254740991",
    "2147483648",
    "0s",
    "25d",
    "999999999d",
    "1ms",
    "on",
    "off",
    "contacts"
  ),
  fc.constantFrom("bob@[::1]", "bob@127.0.0.1", "@", "@bob/", "/", "@bob/../x", "bob bob", "BOB", "xn--a", "b\u00f6b"),
  fc.constantFrom(
    `ed25519:${"0".repeat(64)}`,
    "http://127.0.0.1:9/?c#d",
    "file:///x",
    "a".repeat(70_000),
    "a".repeat(255)
  ),
  fc.constantFrom(
    "\u0000",
    "\u001b[2J",
    "\ud800",
    "\u202e",
    "%s%n",
    "$(id)",
    "'; rm -rf /",
    "constructor",
    "__proto__",
    "yes"
  ),
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({ maxLength: 12 })
)

// Absolute paths of chance are somebody's; a home of chance may be one that exists.
const isSafe = (text: string): boolean =>
  (!/^(\W*=)?\/./.test(text) || text === "/etc/passwd" || text === "/dev/full") && !/^https?:\/\/(?!127\.)/.test(text)

/** Descriptors of the process that runs the tests are not a command's to use. */
const ofProcess = new Set(["passphrase-fd", "words-fd", "completions"])

const choices = (flag: Param.Single<Param.ParamKind, unknown>): ReadonlyArray<string> => {
  switch (flag.name) {
    case "home":
      return ["http://127.0.0.1:9", "127.0.0.1:9", "http://", "https://127.0.0.1:1/x", "file:///x", "", "\u0000"]
    case "confirm":
      return ["carla@localhost", "carla", "CARLA@localhost", " ", "alice@localhost"]
    case "vault":
      return ["auto", "file", "keychain", "x"]
    case "profile":
      return ["other", "bob", "../x", "", "-", "constructor", "a".repeat(300)]
    case "relay":
      return ["default", "direct", "only", "", "https://127.0.0.1:9,", "\u0000"]
    default:
      return []
  }
}

/** Command lines for a command, as a shell would give them; in this process some flags are left out. */
export const lines = (name: string, where: "in process" | "as a process"): fc.Arbitrary<ReadonlyArray<string>> => {
  const flags = [...Arguments.globals, ...Arguments.singlesOf(commands.get(name)!)].filter(
    (flag) => flag.kind === "flag" && (where === "as a process" || !ofProcess.has(flag.name))
  )
  const flag = fc.constantFrom(...flags).chain((single) => {
    const known = choices(single)
    const value = known.length === 0 ? hostile : fc.constantFrom(...known)
    return fc
      .tuple(
        value,
        fc.constantFrom(...(Arguments.isBoolean(single) ? ["alone", "alone", "="] : ["=", "=", "next", "alone"]))
      )
      .map(([text, how]) =>
        how === "alone" ? [`--${single.name}`] : how === "=" ? [`--${single.name}=${text}`] : [`--${single.name}`, text]
      )
  })
  const piece = fc.oneof({ weight: 3, arbitrary: hostile.map((value) => [value]) }, { weight: 2, arbitrary: flag })
  const anything = fc.array(piece, { maxLength: 5 })
  // As many arguments as the command takes: these get further than its parser.
  const values = Arguments.singlesOf(commands.get(name)!).filter(({ kind }) => kind === "argument")
  const fitting = fc
    .tuple(
      fc.tuple(...values.map(() => fc.oneof({ weight: 2, arbitrary: named }, { weight: 1, arbitrary: hostile }))),
      fc.array(flag, { maxLength: 2 })
    )
    .map(([operands, given]) => [...operands.map((value) => [value]), ...given])
  return fc
    .oneof(anything, fitting)
    .map((pieces) => [...name.split(" "), ...pieces.flat()])
    .filter(
      (args) =>
        args.every(isSafe) &&
        (where === "in process" || args.every((text) => !text.includes("\u0000") && text.isWellFormed()))
    )
}

/** Every file and folder below. */
const everything = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => path.join(folder, name))

/** A folder for the files of commands: what a command line writes must be what it names. */
export class Workplace {
  readonly folder: string
  readonly cwd: string

  constructor(folder: string) {
    this.folder = path.join(folder, "files")
    this.cwd = path.join(this.folder, "a", "b", "c")
    this.clean()
  }

  clean(): void {
    fs.rmSync(this.folder, { recursive: true, force: true })
    fs.mkdirSync(path.join(this.cwd, "folder"), { recursive: true })
    fs.writeFileSync(path.join(this.cwd, "a.txt"), "a file")
    fs.writeFileSync(path.join(this.cwd, "folder", "b.txt"), "another")
  }

  /** All files that were made; and those of them that no value of the command line names, nor a folder that it names. */
  made(args: ReadonlyArray<string>): { readonly all: ReadonlyArray<string>; readonly strays: ReadonlyArray<string> } {
    const own = new Set([
      ...["a", "a/b", "a/b/c"].map((name) => path.join(this.folder, name)),
      ...["a.txt", "folder", "folder/b.txt"].map((name) => path.join(this.cwd, name))
    ])
    const made = everything(this.folder).filter((file) => !own.has(file))
    if (made.length === 0) return { all: [], strays: [] }
    this.clean()
    const named = args
      .flatMap((text) => [text, text.slice(text.indexOf("=") + 1)])
      .map((text) => path.resolve(this.cwd, text))
    const strays = made.filter((file) => !named.some((at) => file === at || file.startsWith(`${at}${path.sep}`)))
    return { all: made, strays }
  }
}

const codes: ReadonlySet<number> = new Set(Object.values(ExitCode))

/** Whether help, a version or completions were asked for: then what is printed is that. */
const asksForPage = (args: ReadonlyArray<string>): boolean =>
  Arguments.beforeEnd(args).some((text) => /^(--help|-h|--version|--completions)(=|$)/.test(text))

/** Judges how a command line ended. */
export const judge = (
  name: string,
  args: ReadonlyArray<string>,
  ended: { readonly code: number | null | undefined; readonly stdout: string; readonly stderr: string },
  hasAccount: boolean
): void => {
  const { code, stderr, stdout } = ended
  const oracle = oracles[name]!
  expect(stderr + stdout).not.toMatch(/something is wrong in this program|^\s+at .*:\d+:\d+/m)
  if (code === undefined || code === null) return expect({ args, waits: oracle.waits }).toEqual({ args, waits: true })
  expect(codes).toContain(code)
  const isJson = Arguments.beforeEnd(args).includes("--json")
  if (code !== 0) {
    const last = stderr.trim().split("\n").at(-1) ?? ""
    if (isJson) expect(read(Shapes.ErrorLine, last).error.exit).toBe(code)
    else expect(stderr).toMatch(/^kez-chat: \S/m)
    return
  }
  if (asksForPage(args)) return expect(stdout).toMatch(/\S/)
  if (!hasAccount) expect(oracle.alone).toBe(true)
  if (args.some((text) => /^(--output|-o|--words-fd)(=|$)/.test(text))) return
  const saysJson = isJson || stdout.startsWith("{")
  if (!saysJson) {
    const isQuiet = Arguments.beforeEnd(args).some((text) => /^(--quiet|-q)(=|$)/.test(text))
    if (oracle.notes === true && isQuiet && stdout === "") return
    return expect(oracle.notes === undefined ? stdout : stdout + stderr).toMatch(oracle.text)
  }
  // A listing of offers, and what was discarded, are one value.
  const shapes = name === "fetch" ? [oracle.json, Shapes.Offers, Shapes.Discarded] : [oracle.json]
  for (const line of stdout.trim().split("\n")) {
    const fits = shapes.some((shape) => {
      try {
        read(shape, line)
        return true
      } catch {
        return false
      }
    })
    expect({ line, fits }).toEqual({ line, fits: true })
  }
}
