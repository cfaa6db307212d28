/**
 * The least that can answer a lookup: node:http and better-sqlite3, one prepared statement, one string. No logs, no
 * metrics, no limits, no errors. `node lookupBaseline.ts <registry>`; prints its port.
 */
import BetterSqlite3 from "better-sqlite3"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

interface Row {
  readonly handle: string
  readonly primary_hex: string
  readonly registered_at: string
  readonly registration: string
}

const sqlite = new BetterSqlite3(process.argv[2], { readonly: true })
const select = sqlite.prepare<[string], Row>("SELECT * FROM accounts WHERE handle = ? AND state = 'active'")

const server = createServer((request, response) => {
  const row = select.get((request.url as string).slice("/v1/u/".length)) as Row
  const body = `{"handle":"${row.handle}@localhost","primary":"ed25519:${row.primary_hex}","registered_at":"${row.registered_at}","sigchain_url":"http://127.0.0.1:7878/v1/sigchains/ed25519/${row.primary_hex}","endpoints":[{"protocol":"nats","url":"nats://127.0.0.1:4222","ws_url":"ws://127.0.0.1:8443","inbox":"kez.inbox.${row.primary_hex}"}],"registration":${row.registration}}`
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
  response.end(body)
})
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
