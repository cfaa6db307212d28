/** `kez-conformance`: the commands, and what ends them. */
import { client } from "./commands/Client.ts"
import { diff } from "./commands/Diff.ts"
import { explain } from "./commands/Explain.ts"
import { interop } from "./commands/Interop.ts"
import { list } from "./commands/List.ts"
import { newShim } from "./commands/NewShim.ts"
import { server, sigServer } from "./commands/Server.ts"
import { vectors } from "./commands/Vectors.ts"
import { ShimUnusable } from "./shim/Start.ts"
import { TargetUnusable } from "./servers/Target.ts"
import { UsageError } from "./suite/UsageError.ts"
import { specVersion, suiteVersion, vectorsVersion } from "./suite/Versions.ts"

const help = `kez-conformance: checks whether an implementation speaks the KEZ chat protocol.

  kez-conformance vectors --shim "COMMAND"   every vector of the specification, asked of your shim
  kez-conformance client --shim "COMMAND"    your client in a world that misbehaves: home server, sig-server and broker
  kez-conformance server --url URL           a running home server with its broker, from outside
  kez-conformance sig-server --url URL       a running sig-server, from outside
  kez-conformance interop --shim A --shim B --url URL
                                             implementations in pairs at a home server: they write to each other
  kez-conformance reference-shim             the shim of the reference implementation, to compare with
  kez-conformance list [--operations]        requirements and their checks, or the operations of a shim
  kez-conformance explain ID                 a requirement or a check: text, reason, input and answer
  kez-conformance new-shim --lang LANGUAGE   a shim to begin with, in --to FOLDER (kez-shim): go, python, rust, swift,
                                             or typescript
  kez-conformance diff OLD NEW               what two reports say differently
  kez-conformance probe FILE|URL             whether what this project takes KEZ to be holds for something that KEZ wrote:
                                             an envelope, a chain, kez:z1:, a page with a fence, TXT strings

Options of vectors and client:
  --profile identity,chat,files   check these profiles only
  --trace FILE                    write every line between suite and shim
  --parallel N                    how many shims work at once (client)

Options of server and sig-server:
  --nats URL                      where the home's broker is, once for TCP (nats, tls) and once for WebSocket (ws, wss);
                                  otherwise where the home server says (server)
  --strict                        hold the sig-server to the specification, also where it is not written in KEZ's pages
                                  what a sig-server does (sig-server; the checks of server always do)
  --sig-server URL                check the home's sig-server too (server)
  --restart-command COMMAND       ends the home's processes without warning and starts them again, to see what remains
                                  (server)
  --invite CODE                   lets the run's accounts in where the home server registers only who has an invite
                                  (server, interop)
  --reserved HANDLE               a handle that the home server keeps back; otherwise some are tried (server)
  --read-only                     leave out the checks that register accounts or begin chains
  --i-own-this                    write to a server that is not on this machine

Options of all four:
  --only PATTERN                  check what fits, such as "KEZ-DM-*" or "identity/*"; may be repeated
  --spec VERSION                  the version of the specification that the run is meant for, or exit code 3
  --baseline FILE                 known failures, a list of {id, reason} in YAML
  --report, --junit, --html, --badge FILE   write the result as JSON, JUnit XML, a page, or a shields.io badge
  --seed N                        the order of the checks; printed at the end
  --timeout SECONDS               how long one request may take (20)
  --deterministic                 leave times out of the report
  --json                          print the report as JSON

Every command takes --json where it prints something. Exit codes: 0 conformant, 1 something fails, 2 the baseline
excuses what does not fail, 3 a mistake in the command line, 4 the shim cannot be started or the server not reached.
`

const commands: Readonly<Record<string, (args: ReadonlyArray<string>) => number | Promise<number>>> = {
  vectors,
  client,
  server,
  "sig-server": sigServer,
  interop,
  list,
  explain,
  diff,
  probe: async (args) => (await import("./commands/Probe.ts")).probe(args),
  "new-shim": newShim,
  "reference-shim": async (args) => (await import("./reference/Shim.ts")).referenceShim(args)
}

/** Runs a command line; the exit code. */
export const main = async ([name, ...args]: ReadonlyArray<string>): Promise<number> => {
  if (name === "--version") {
    process.stdout.write(`kez-conformance ${suiteVersion}, specification ${specVersion}, vectors ${vectorsVersion}\n`)
    return 0
  }
  if (name === undefined || name === "--help" || name === "help" || args.includes("--help")) {
    ;(name === undefined ? process.stderr : process.stdout).write(help)
    return name === undefined ? 3 : 0
  }
  try {
    const command = commands[name]
    if (command === undefined) throw new UsageError(`there is no command ${JSON.stringify(name)}`)
    return await command(args)
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`kez-conformance: ${error.message}. See kez-conformance --help.\n`)
      return 3
    }
    if (error instanceof ShimUnusable) {
      process.stderr.write(`kez-conformance: the shim cannot be used: ${error.message}\n`)
      return 4
    }
    if (error instanceof TargetUnusable) {
      process.stderr.write(`kez-conformance: the server cannot be checked: ${error.message}\n`)
      return 4
    }
    throw error
  }
}
