/** A report as the endpoint of a shields.io badge. */
import { exitCodeOf, type Report } from "./Report.ts"

export const badge = (report: Report) => ({
  schemaVersion: 1,
  label: `KEZ ${report.spec}`,
  message: `${report.profiles.join("+") || "no profile"} ${report.must.passed}/${report.must.checked} MUST`,
  color: exitCodeOf(report) === 1 ? "red" : report.counts.excused > 0 ? "yellow" : "brightgreen"
})
