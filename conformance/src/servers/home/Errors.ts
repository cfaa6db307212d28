/** How the server refuses: bodies that are wrong, and requests that nobody should make (spec: errors, envelope). */
import { gzipSync } from "node:zlib"
import { group } from "../Check.ts"
import { hasStatus, holds, isProblem, refuses } from "../Expect.ts"
import { retryAfter } from "../RetryAfter.ts"
import type { Target } from "../Target.ts"
import type { HomeVisit } from "./HomeVisit.ts"

const register = "/v1/register"

const bytes = (...parts: ReadonlyArray<string | ReadonlyArray<number>>): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))))

/** Bodies that are no strict JSON, or no envelope. */
const bodies: ReadonlyArray<
  readonly [id: string, body: string | Uint8Array, code: string, requirement: string, why: string]
> = [
  ["no-json", "{", "json_malformed", "KEZ-CAN-005", "text that ends too early"],
  ["empty", "", "json_malformed", "KEZ-CAN-005", "no text at all"],
  ["two-values", "{} {}", "json_malformed", "KEZ-CAN-005", "something after the value"],
  ["bom", bytes([0xef, 0xbb, 0xbf], "{}"), "json_malformed", "KEZ-CAN-005", "a byte order mark"],
  ["utf-8", bytes('{"a":"', [0xff], '"}'), "json_malformed", "KEZ-CAN-005", "a byte that UTF-8 does not have"],
  ["twice", '{"kez":"a","kez":"b"}', "json_duplicate_name", "KEZ-CAN-006", "two readers would take another one"],
  ["twice-escaped", '{"kez":1,"k\\u0065z":2}', "json_duplicate_name", "KEZ-CAN-006", "the same name, escaped"],
  ["proto", '{"__proto__":{}}', "json_string", "KEZ-CAN-007", "a name that changes objects in JavaScript"],
  ["surrogate", '{"a":"\\ud800"}', "json_string", "KEZ-CAN-007", "a string without a form in UTF-8"],
  ["float", '{"a":1.5}', "json_number", "KEZ-CAN-008", "a fraction has several forms"],
  ["large-number", '{"a":9007199254740993}', "json_number", "KEZ-CAN-008", "some readers would round it"],
  ["depth", `${"[".repeat(17)}${"]".repeat(17)}`, "json_depth", "KEZ-CAN-009", "17 levels"],
  ["array", "[]", "envelope_malformed", "KEZ-SIG-001", "an array is no envelope"],
  ["null", "null", "envelope_malformed", "KEZ-SIG-001", "null is no envelope"],
  ["object", "{}", "envelope_malformed", "KEZ-SIG-001", "an object without members is no envelope"]
]

const send = (target: Target, body: string | Uint8Array, headers?: Readonly<Record<string, string>>) =>
  target.ask("POST", register, headers === undefined ? { body } : { body, headers })

/** A stack trace, a path, or the words of a runtime or a database. */
const internals =
  /\bat .+:\d+:\d+|(?:^|[\s"'(])\/(?:home|usr|var|root|opt|app|work|tmp)\/|node_modules|\.(?:ts|js|py|rs|go):\d|(?:Type|Reference|Syntax)Error|panicked|Traceback|SQLITE/

export const errors = group<HomeVisit>("server/errors", [
  ...bodies.map(([id, body, code, requirement, why]) => ({
    id,
    requirements: [requirement, "KEZ-ERR-004"],
    why,
    reads: true as const,
    run: async ({ target }: HomeVisit) => refuses(await send(target, body), code)
  })),
  {
    id: "too-large",
    requirements: ["KEZ-LIM-006"],
    why: "a body of 8,193 bytes",
    reads: true,
    run: async ({ target }) => {
      const body = `{${" ".repeat(8_191)}}`
      refuses(await send(target, body), "too_large")
      refuses(await target.post("/v1/delete", body), "too_large")
    }
  },
  {
    id: "just-fits",
    requirements: ["KEZ-LIM-006", "KEZ-CAN-013"],
    why: "a body of 8,192 bytes is not too large, and spaces between the members change nothing",
    run: async (home) => {
      const { registration } = await home.account()
      const text = JSON.stringify(registration)
      hasStatus(await send(home.target, `{${" ".repeat(8_192 - text.length)}${text.slice(1)}`), 200)
    }
  },
  {
    id: "media-type",
    requirements: ["KEZ-ERR-001", "KEZ-REG-044"],
    why: "a body is sent as JSON; pages can send plain text without asking",
    reads: true,
    run: async ({ target }) => {
      refuses(await send(target, "{}", { "content-type": "text/plain" }), "media_type_unsupported")
      refuses(
        await send(target, "{}", { "content-type": "application/json; charset=utf-16" }),
        "media_type_unsupported"
      )
    }
  },
  {
    id: "content-coding",
    requirements: ["KEZ-ERR-004", "KEZ-CAN-015"],
    why: "a small body that unpacks to a large one",
    reads: true,
    run: async ({ target }) => {
      const body = gzipSync(" ".repeat(1_000_000))
      refuses(await send(target, body, { "content-encoding": "gzip" }), "media_type_unsupported", "too_large")
    }
  },
  {
    id: "unknown-path",
    requirements: ["KEZ-ERR-001"],
    why: "what is not there is refused like everything else",
    reads: true,
    run: async ({ target }) => refuses(await target.get("/v1/kezct"), "not_found")
  },
  {
    id: "unknown-method",
    requirements: ["KEZ-ERR-001"],
    why: "a method that a route does not have",
    reads: true,
    run: async ({ target }) => refuses(await target.ask("DELETE", register), "method_not_allowed")
  },
  {
    id: "long-target",
    requirements: ["KEZ-ERR-004"],
    why: "a path of 9,000 characters",
    reads: true,
    run: async ({ target }) => {
      isProblem(await target.get(`/v1/u/${"k".repeat(9_000)}`))
    }
  },
  {
    id: "percent",
    requirements: ["KEZ-ERR-004"],
    why: "a path whose percent-encoding is broken",
    reads: true,
    run: async ({ target }) => {
      isProblem(await target.get("/v1/u/%E0%A4%A"))
    }
  },
  {
    id: "no-internals",
    requirements: ["KEZ-ERR-006"],
    why: "an error tells nothing about the inside of the server",
    reads: true,
    run: async (home) => {
      const { target } = home
      const answers = [
        ...(await Promise.all(bodies.map(([, body]) => send(target, body)))),
        await target.get("/v1/u/%00"),
        await target.get("/v1/u/..%2f..%2fetc%2fpasswd"),
        await target.get("/v1/by-primary/'%20OR%201=1--"),
        await target.get("/.well-known/webfinger?resource=%ff"),
        await target.ask("PUT", "/v1/manifests/ed25519/x", { body: "{" })
      ]
      for (const answer of answers) holds(answer, !internals.test(answer.text), "the error shows internals")
    }
  },
  {
    id: "goes-on",
    requirements: ["KEZ-ERR-004"],
    why: "after all of this the server still serves",
    reads: true,
    last: true,
    run: async ({ target }) => hasStatus(await target.get("/v1/healthz"), 200)
  },
  {
    id: "retry-after",
    requirements: ["KEZ-ERR-003"],
    why: "a client that is limited waits as long as it is told",
    reads: true,
    last: true,
    run: async ({ target }) => retryAfter(target.limited)
  }
])
