/** `kez-conformance probe FILE|URL`: whether what this project takes KEZ to be holds for something that KEZ wrote. */
import { type Finding, probe as examine } from "../probe/Probe.ts"
import { readEnvelopes } from "../probe/Reading.ts"
import { readSource, type Source, SourceUnavailable } from "../probe/Source.ts"
import { shown } from "../shim/Protocol.ts"
import { suiteVersion } from "../suite/Versions.ts"
import { parse } from "./Options.ts"

const words = { holds: "holds", otherwise: "OTHERWISE", "not-shown": "not shown" } as const

const linesOf = ({ mark, sdk, seen, text, vectors, verdict }: Finding): ReadonlyArray<string> => [
  `  ${words[verdict].padEnd(9)}  ${mark.padEnd(8)}  ${text}`,
  ...seen.map(
    ({ holds, times, what }) =>
      `${" ".repeat(23)}${holds ? "" : "not so: "}${what}${times > 1 ? ` (${times} times)` : ""}`
  ),
  ...(verdict === "otherwise" && sdk !== undefined
    ? [`${" ".repeat(23)}changes: ${sdk[0]}`, `${" ".repeat(25)}${sdk[1]}`, `${" ".repeat(23)}and ${vectors}`]
    : [])
]

const textOf = (source: Source, carrier: string, envelopes: number, findings: ReadonlyArray<Finding>): string => {
  const wrong = findings.filter(({ verdict }) => verdict === "otherwise")
  const blank = findings.filter(({ verdict }) => verdict === "not-shown")
  const noun = envelopes === 1 ? "1 envelope" : `${envelopes} envelopes`
  return [
    `${shown(source.name)}: ${carrier}, ${noun}`,
    "",
    ...findings.filter(({ verdict }) => verdict !== "not-shown").flatMap(linesOf),
    "",
    ...(blank.length === 0 ? [] : [`Not shown by this input: ${blank.map(({ fact }) => fact).join(", ")}.`]),
    wrong.length === 0
      ? "AS ASSUMED: all that was found is as this project takes KEZ to be."
      : `OTHERWISE: ${wrong.map(({ fact }) => fact).join(", ")}. SEEN is written in KEZ's pages, INFERRED follows from them, CHOSEN is this project's own.`
  ].join("\n")
}

/** Exit code 1 if anything is otherwise than assumed, 4 if the address cannot be read. */
export const probe = async (args: ReadonlyArray<string>): Promise<number> => {
  const { positionals, values } = parse(args, { json: { type: "boolean" } }, [1, 1])
  let source: Source
  try {
    source = await readSource(positionals[0] ?? "")
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error
    process.stderr.write(`kez-conformance: ${shown(error.message, 400)}\n`)
    return 4
  }
  const reading = readEnvelopes(source)
  const findings = await examine(reading)
  const holds = findings.every(({ verdict }) => verdict !== "otherwise")
  const { bytes, kind, name } = source
  const report = {
    probe: 1,
    suite: suiteVersion,
    source: { kind, name, bytes: bytes.length },
    carrier: reading.carrier,
    envelopes: reading.envelopes.length,
    holds,
    facts: findings
  }
  process.stdout.write(
    `${values.json === true ? JSON.stringify(report, null, 2) : textOf(source, reading.carrier, reading.envelopes.length, findings)}\n`
  )
  return holds ? 0 : 1
}
