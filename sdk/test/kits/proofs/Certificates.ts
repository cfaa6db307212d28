/** A certificate authority of the tests' own, made by the system's openssl. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface Certificate {
  readonly key: string
  readonly cert: string
}

export interface Certificates {
  /** The authority in PEM. */
  readonly ca: string
  /** For these names, signed by the authority. */
  readonly good: Certificate
  /** For a name that nobody asks for. */
  readonly otherName: Certificate
  /** For the names, signed by itself. */
  readonly selfSigned: Certificate
}

export const certificates = (names: ReadonlyArray<string>): Certificates => {
  const folder = mkdtempSync(join(tmpdir(), "kez-ca-"))
  const at = (name: string) => join(folder, name)
  const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", [...args], { stdio: "ignore" })
  const keyOptions = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
  const read = (name: string): Certificate => ({
    key: readFileSync(at(`${name}.key`), "utf8"),
    cert: readFileSync(at(`${name}.crt`), "utf8")
  })
  const alternatives = (hosts: ReadonlyArray<string>) =>
    `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(",")}`
  const selfSign = (name: string, ...more: ReadonlyArray<string>) =>
    openssl(
      ...["req", "-x509", ...keyOptions, "-days", "2", "-subj", `/CN=kez ${name}`],
      ...["-keyout", at(`${name}.key`), "-out", at(`${name}.crt`), ...more]
    )
  const sign = (name: string, hosts: ReadonlyArray<string>) => {
    openssl(
      ...["req", "-new", ...keyOptions, "-subj", `/CN=kez ${name}`],
      ...["-keyout", at(`${name}.key`), "-out", at(`${name}.csr`)]
    )
    writeFileSync(at(`${name}.ext`), alternatives(hosts))
    openssl(
      ...["x509", "-req", "-in", at(`${name}.csr`), "-CA", at("ca.crt"), "-CAkey", at("ca.key")],
      ...["-CAcreateserial", "-extfile", at(`${name}.ext`), "-out", at(`${name}.crt`), "-days", "2"]
    )
  }
  try {
    selfSign("ca")
    sign("good", names)
    sign("other", ["elsewhere.test"])
    selfSign("self", "-addext", alternatives(names))
    return {
      ca: read("ca").cert,
      good: read("good"),
      otherName: read("other"),
      selfSigned: read("self")
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
