/** `kez-conformance interop`: implementations in pairs at a home server. */
import { Implementation } from "../interop/Implementation.ts"
import { makeInteropReport, matrixPage, matrixText, passes } from "../interop/Matrix.ts"
import { Meeting, runInterop } from "../interop/Run.ts"
import { wordsOf } from "../shim/ShimProcess.ts"
import { UsageError } from "../suite/UsageError.ts"
import { write } from "./Conclude.ts"
import { parse, readNumber } from "./Options.ts"
import { mayRegister, mayWrite, readInvite, readUrl } from "./Server.ts"

export const interop = async (args: ReadonlyArray<string>): Promise<number> => {
  const { values } = parse(args, {
    shim: { type: "string", multiple: true },
    url: { type: "string" },
    invite: { type: "string" },
    "i-own-this": { type: "boolean" },
    timeout: { type: "string" },
    report: { type: "string" },
    html: { type: "string" },
    deterministic: { type: "boolean" },
    json: { type: "boolean" }
  })
  if (values.shim === undefined) throw new UsageError("--shim is missing: one for each implementation")
  const commands = values.shim.map(wordsOf)
  const url = readUrl("url", values.url)
  const invite = readInvite(values.invite)
  mayWrite(values, url)
  const timeoutMillis = 1_000 * readNumber("timeout", values.timeout, { least: 1, most: 600, otherwise: 60 })
  const began = new Date()

  const meeting = await Meeting.begin(url, timeoutMillis, invite)
  const implementations: Array<Implementation> = []
  try {
    mayRegister(meeting.admits, invite)
    for (const command of commands)
      implementations.push(
        await Implementation.start(
          { command, timeoutMillis },
          implementations.map(({ name }) => name)
        )
      )
    const pairs = await runInterop(implementations, meeting, (pair) => {
      if (values.json !== true) process.stderr.write(`${passes(pair) ? "ok  " : "FAIL"}  ${pair.from} -> ${pair.to}\n`)
    })
    const report = makeInteropReport(
      {
        home: meeting.place.server,
        implementations: implementations.map(({ name, started }) => ({
          name,
          version: started.implementation.version,
          language: started.implementation.language
        })),
        ...(values.deterministic === true
          ? {}
          : { startedAt: began.toISOString(), seconds: Math.round((Date.now() - began.getTime()) / 100) / 10 })
      },
      pairs
    )
    const text = JSON.stringify(report, null, 2)
    write(values.report, `${text}\n`)
    write(values.html, matrixPage(report))
    process.stdout.write(`${values.json === true ? text : matrixText(report)}\n`)
    return report.counts.passed === report.counts.all ? 0 : 1
  } finally {
    await Promise.all(implementations.map((one) => one.stop()))
    const left = await meeting.end()
    if (left.length > 0) process.stderr.write(`These accounts could not be deleted: ${left.join(", ")}.\n`)
  }
}
