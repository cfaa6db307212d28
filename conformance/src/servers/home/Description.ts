/** `/.well-known/kez-chat`, health, and what pages of other origins may do (spec: registration). */
import { group } from "../Check.ts"
import { fits, hasHeader, hasStatus, holds, isOpen } from "../Expect.ts"
import { NotChecked } from "../Outcome.ts"
import type { HomeVisit } from "./HomeVisit.ts"

interface Description {
  readonly broker: { readonly tcp: ReadonlyArray<string>; readonly websocket: ReadonlyArray<string> }
  readonly sig_server: string
  readonly limits?: Readonly<Record<string, number>>
}

const path = "/.well-known/kez-chat"

const isLoopbackUrl = (url: string): boolean =>
  /^(?:localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)

/** `https`, or on this machine. */
const isProtected = (url: string): boolean => /^(?:https|wss|tls):/.test(url) || isLoopbackUrl(url)

export const description = group<HomeVisit>("server/description", [
  {
    id: "shape",
    requirements: ["KEZ-REG-029"],
    why: "a client finds the broker and the sig-server by it",
    reads: true,
    run: async ({ target }) => {
      const answer = await target.get(path)
      hasStatus(answer, 200)
      const { broker } = fits<Description>(answer, "well-known")
      holds(answer, broker.tcp.length + broker.websocket.length > 0, "it names no broker")
    }
  },
  {
    id: "limits",
    requirements: ["KEZ-REG-029", "KEZ-LIM-003"],
    why: "a client reads how much it may send, and does not find out by being refused",
    reads: true,
    run: async ({ target }) => {
      const answer = await target.get(path)
      const { limits = {} } = fits<Description>(answer, "well-known")
      holds(answer, Object.keys(limits).length > 0, "it names no limits")
    }
  },
  {
    id: "acceptance-keys",
    requirements: ["KEZ-NAT-102"],
    why: "whoever is shown what the home signed looks its key up there",
    reads: true,
    run: async ({ target }) => {
      const answer = await target.get(path)
      const { acceptance_keys: keys } = JSON.parse(answer.text) as { readonly acceptance_keys?: unknown }
      if (keys === undefined) throw new NotChecked("not-applicable", "the home server signs no acceptances")
      const isList = Array.isArray(keys) && keys.length >= 1 && keys.length <= 16
      const areKeys = isList && keys.every((key) => /^ed25519:[0-9a-f]{64}$/.test(String(key)))
      holds(answer, areKeys, "acceptance_keys is no list of 1 to 16 ed25519 primaries")
    }
  },
  {
    id: "https",
    requirements: ["KEZ-REG-005"],
    why: "who is on the way could answer with another record",
    reads: true,
    run: async ({ target }) => {
      holds(await target.get(path), isProtected(target.url), "the public routes are served over plain HTTP")
    }
  },
  {
    id: "named-urls",
    requirements: ["KEZ-REG-006", "KEZ-NAT-041"],
    why: "clients refuse plain URLs, so that naming one leads nowhere",
    reads: true,
    run: async ({ target }) => {
      const answer = await target.get(path)
      const { broker, sig_server } = fits<Description>(answer, "well-known")
      for (const url of [...broker.tcp, ...broker.websocket, sig_server])
        holds(answer, isProtected(url), `${url} is neither encrypted nor on this machine`)
    }
  },
  {
    id: "health",
    requirements: ["KEZ-REG-041"],
    why: "a server that serves says so, and a client reads its clock there",
    reads: true,
    run: async ({ target }) => {
      const answer = await target.get("/v1/healthz")
      hasStatus(answer, 200)
      hasHeader(answer, "date", / GMT$/)
    }
  }
])

/** What pages do besides simple reads: the browser asks first. */
const preflights = [
  ["POST", () => "/v1/register"],
  ["POST", () => "/v1/delete"],
  ["DELETE", (home: HomeVisit) => `/v1/u/${home.newHandle()}`],
  ["PUT", (home: HomeVisit) => `/v1/manifests/ed25519/${home.signing.makeSigner().hex}`]
] as const

export const cors = group<HomeVisit>("server/cors", [
  {
    id: "description",
    requirements: ["KEZ-REG-007"],
    why: "a client in a browser starts here",
    reads: true,
    run: async ({ target }) => isOpen(await target.get(path))
  },
  {
    id: "health",
    requirements: ["KEZ-REG-007"],
    why: "also a page may ask how a server is",
    reads: true,
    run: async ({ target }) => isOpen(await target.get("/v1/healthz"))
  },
  {
    id: "refusal",
    requirements: ["KEZ-REG-007"],
    why: "without the header a page cannot read why it was refused",
    reads: true,
    run: async (home) => {
      isOpen(await home.record({ handle: home.newHandle() }))
      isOpen(await home.target.post("/v1/register", "{"))
    }
  },
  {
    id: "record",
    requirements: ["KEZ-REG-007"],
    why: "a page looks up people",
    run: async (home) => isOpen(await home.record(await home.account()))
  },
  {
    id: "preflight",
    requirements: ["KEZ-REG-007"],
    why: "a browser asks before it sends JSON or another method than GET and POST",
    reads: true,
    run: async (home) => {
      for (const [method, to] of preflights) {
        const answer = await home.target.ask("OPTIONS", to(home), {
          headers: {
            origin: "https://page.example",
            "access-control-request-method": method,
            "access-control-request-headers": "content-type"
          }
        })
        holds(answer, answer.status < 300, `answered ${answer.status}; a browser wants success`)
        isOpen(answer)
        hasHeader(answer, "access-control-allow-headers", /(?:^|,)\s*(?:\*|content-type)\s*(?:,|$)/i)
        if (method !== "POST")
          hasHeader(answer, "access-control-allow-methods", new RegExp(`(?:^|,)\\s*(?:\\*|${method})\\s*(?:,|$)`))
      }
    }
  }
])
