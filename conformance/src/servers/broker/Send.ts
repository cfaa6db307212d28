/** Sending a frame to an inbox, and what is delivered of it (spec: broker, Send and Live delivery). */
import { createHash } from "node:crypto"
import { group } from "../Check.ts"
import { NotChecked, Violation } from "../Outcome.ts"
import { type BrokerVisit, demand } from "./BrokerVisit.ts"
import { headerBlock, type Message, valuesOf } from "./Connection.ts"
import { holdsFrames, isOk, isRefused, kezId, refusalOf, sealed, type User } from "./User.ts"

const maxFrameBytes = 65_536
/** Of a frame with its headers. */
const maxMessageBytes = maxFrameBytes + 1_024

/** An ok that was asked to be signed: nothing else is in it. */
const signedForm = /^\{"ok":1,"at":"[0-9TZ:-]{20}","sig":"[\w-]{86}"\}$/

/** Headers by which a client would change how its frame is stored, or what it looks like. None harms the mail of others. */
const foreignHeaders: ReadonlyArray<readonly [name: string, value: string]> = [
  ["Kez-Other", "kezct"],
  ["Nats-Msg-Id", "kezct"],
  ["Nats-TTL", "1s"],
  ["Nats-Rollup", "sub"],
  ["Nats-Stream", "KEZCT"],
  ["Nats-Subject", "kez.inbox.kezct"],
  ["Nats-Sequence", "987654321"],
  ["Nats-Last-Sequence", "987654321"],
  ["Nats-Time-Stamp", "1970-01-01T00:00:00Z"],
  ["Nats-Num-Pending", "987654321"],
  ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
  ["Status", "503"]
]

const only = (message: Message, name: string): string => {
  const values = valuesOf(message, name)
  demand(values.length === 1, `a delivered frame has ${values.length} headers ${name}`, message.header)
  return values[0]!
}

/** A send to an account that has nothing to do with this check, refused with a code. */
const refused = (
  id: string,
  why: string,
  code: string,
  asks: ReadonlyArray<(alice: User, bob: User, visit: BrokerVisit) => Promise<string>>
) => ({
  id,
  requirements: ["KEZ-NAT-023"],
  why,
  run: async (visit: BrokerVisit) => {
    const [alice, bob] = await visit.friends()
    const before = await bob.lastSeq()
    for (const ask of asks) isRefused(await ask(alice, bob, visit), why, code)
    holdsFrames(await bob.framesAfter(before), [], "a refused frame is stored")
  }
})

const withIds =
  (...lines: ReadonlyArray<string>) =>
  (alice: User, bob: User): Promise<string> =>
    alice.sendWith(bob.hex, sealed(), lines.length === 0 ? "" : headerBlock(...lines))

export const send = group<BrokerVisit>("broker/send", [
  {
    id: "stored",
    requirements: ["KEZ-NAT-019", "KEZ-NAT-025"],
    why: "what is answered with ok is in the inbox, and is delivered live with the stream's headers",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const before = await bob.lastSeq()
      const frames = [sealed(), sealed()] as const
      for (const frame of frames) await alice.sendOk(bob.hex, frame)
      const found = await bob.framesAfter(before)
      holdsFrames(found, frames, "the inbox does not hold what was stored, oldest first")
      const [first, second] = [await bob.delivery(frames[0]), await bob.delivery(frames[1])]
      for (const [i, message] of [first, second].entries()) {
        demand(only(message, "Nats-Stream") === "KEZ_INBOX", "Nats-Stream is another", message.header)
        demand(only(message, "Nats-Subject") === `kez.inbox.${bob.hex}`, "Nats-Subject is another", message.header)
        demand(Number(only(message, "Nats-Sequence")) === found[i]!.seq, "Nats-Sequence is another", message.header)
        const at = Date.parse(only(message, "Nats-Time-Stamp"))
        demand(Math.abs(at - found[i]!.timeMillis) < 2, "Nats-Time-Stamp is another than the page's", message.header)
      }
      demand(
        Number(only(second, "Nats-Last-Sequence")) === found[0]!.seq,
        "Nats-Last-Sequence is not that of the frame before on this subject",
        second.header
      )
    }
  },
  {
    id: "self",
    requirements: ["KEZ-NAT-025", "KEZ-NAT-019"],
    why: "a copy for oneself is on a subject of its own, so that it counts apart",
    run: async (visit) => {
      const [alice] = await visit.friends()
      const frame = sealed()
      await alice.sendOk(alice.hex, frame)
      demand(
        only(await alice.delivery(frame), "Nats-Subject") === `kez.self.${alice.hex}`,
        "an own copy is not stored on kez.self"
      )
    }
  },
  {
    id: "repeat",
    requirements: ["KEZ-NAT-021"],
    why: "a client whose answer was lost sends again, over another connection",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const before = await bob.lastSeq()
      const [id, frame] = [kezId(), sealed()]
      await alice.sendOk(bob.hex, frame, id)
      await alice.sendOk(bob.hex, frame, id)
      const again = await visit.login(alice.account, visit.urls.at(-1))
      await again.sendOk(bob.hex, frame, id)
      again.client.close()
      holdsFrames(await bob.framesAfter(before), [frame], "a repeated send is stored again")
    }
  },
  {
    id: "same-id-recipients",
    requirements: ["KEZ-NAT-022"],
    why: "the Kez-Id of one copy means nothing to another inbox",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const carol = await visit.user("carol")
      const [bobs, carols] = [await bob.lastSeq(), await carol.lastSeq()]
      const [id, one, other] = [kezId(), sealed(), sealed()]
      await alice.sendOk(bob.hex, one, id)
      await alice.sendOk(carol.hex, other, id)
      holdsFrames(await bob.framesAfter(bobs), [one], "the first copy is missing")
      holdsFrames(await carol.framesAfter(carols), [other], "a Kez-Id that was used for another inbox loses a frame")
    }
  },
  {
    id: "same-id-senders",
    requirements: ["KEZ-NAT-048"],
    why: "who guesses a Kez-Id must not keep the frame of another from being stored",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const carol = await visit.user("carol")
      const before = await bob.lastSeq()
      const [id, spoiler, frame] = [kezId(), sealed(), sealed()]
      await carol.sendOk(bob.hex, spoiler, id)
      await alice.sendOk(bob.hex, frame, id)
      holdsFrames(
        await bob.framesAfter(before),
        [spoiler, frame],
        "the Kez-Id of one sender loses the frame of another"
      )
    }
  },
  {
    id: "no-sender",
    requirements: ["KEZ-NAT-048"],
    why: "what is delivered does not tell who sent it",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const [id, frame] = [kezId(), sealed()]
      await alice.sendOk(bob.hex, frame, id)
      const { header } = await bob.delivery(frame)
      const { hex, nkey } = alice.account.signer
      const made = [id, hex + bob.hex + id, bob.hex + id, hex + id].flatMap((text) => {
        const hash = createHash("sha256").update(text).digest()
        return [hash.toString("hex").slice(0, 16), hash.toString("base64url").slice(0, 16)]
      })
      const telling = [hex.slice(0, 16), nkey, id, ...made].filter((known) => header.includes(known))
      demand(telling.length === 0, "a delivered frame carries something that its sender could be told by", header)
    }
  },
  {
    id: "headers",
    requirements: ["KEZ-NAT-020"],
    why: "no header that a client makes reaches what is stored",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const before = await bob.lastSeq()
      const sent: Array<Buffer> = []
      for (const [name, value] of foreignHeaders) {
        const frame = sealed()
        sent.push(frame)
        const answer = await alice.sendWith(bob.hex, frame, headerBlock(`Kez-Id: ${kezId()}`, `${name}: ${value}`))
        isOk(answer, `a send with the header ${name}`)
        const delivered = await bob.delivery(frame)
        const { header } = delivered
        demand(!valuesOf(delivered, name).includes(value), `the header ${name} of a client is delivered`, header)
        demand(!/^Kez-/im.test(header), "a header of the client is delivered", header)
      }
      holdsFrames(await bob.framesAfter(before), sent, "a header of a client changed what is stored")
    }
  },
  {
    id: "forged-sender",
    requirements: ["KEZ-NAT-024"],
    why: "the sender is who is logged in, whatever the request says",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const forged = JSON.stringify({ acc: "CHAT", user: bob.hex, rtt: 1 })
      for (const name of ["Nats-Request-Info", "nats-request-info", "Kez-Sender"]) {
        const frame = sealed()
        const lines = [`${name}: ${forged}`, `Kez-Id: ${kezId()}`, `${name}: ${forged}`]
        await alice.sendWith(bob.hex, frame, headerBlock(...lines))
        // As the recipient's own copy it would be on kez.self, outside of what strangers may fill.
        const { header } = await bob.delivery(frame)
        demand(header.includes(`kez.inbox.${bob.hex}`), "a forged sender is believed", header)
      }
    }
  },
  {
    id: "header-blocks",
    requirements: ["KEZ-NAT-020", "KEZ-NAT-023"],
    why: "a malformed header block or a status line is no reason to fall over",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const id = () => `Kez-Id: ${kezId()}`
      for (const block of [
        `NATS/1.0 503\r\n${id()}\r\n\r\n`,
        `NATS/1.0 100 Idle Heartbeat\r\n${id()}\r\n\r\n`,
        `NATS/1.0\r\n\r\n${id()}\r\n\r\n`,
        `NATS/9.9\r\n${id()}\r\n\r\n`,
        `NATS/1.0\r\n: novalue\r\n${id()}\r\n\r\n`,
        `NATS/1.0\r\n${id()}\nNats-TTL: 1s\r\n\r\n`,
        "\r\n\r\n",
        "NATS/1.0"
      ]) {
        const hostile = await visit.login(alice.account)
        hostile.client.publish(`kez.inbox.${bob.hex}`, sealed(), { header: block, reply: `_INBOX_${alice.hex}.kezct` })
        await hostile.client.fence()
        hostile.client.close()
      }
      const frame = sealed()
      await alice.sendOk(bob.hex, frame)
      const { header } = await bob.delivery(frame)
      demand(!/^Nats-TTL/im.test(header), "a header of a client is delivered", header)
    }
  },
  refused("unknown", "a key that has no account here", "unknown", [
    (alice, _, { signing }) => alice.send(signing.makeSigner().hex),
    async (alice, _, { home }) => alice.send((await home.deletedAccount()).signer.hex)
  ]),
  refused("recipient", "what is no key of 64 lower-case digits", "bad", [
    (alice, bob) => alice.send(bob.hex.toUpperCase()),
    (alice, bob) => alice.send(bob.hex.slice(1)),
    (alice, bob) => alice.send(`${bob.hex}0`),
    (alice) => alice.send("kezct")
  ]),
  refused("no-kez-id", "a send without Kez-Id", "bad", [withIds(), withIds("Kez-Other: kezct"), withIds("Kez-Id:")]),
  refused("kez-id", "a Kez-Id that is not 22 characters of base64url", "bad", [
    (alice, bob) => withIds(`Kez-Id: ${kezId().slice(1)}`)(alice, bob),
    (alice, bob) => withIds(`Kez-Id: ${kezId()}A`)(alice, bob),
    (alice, bob) => withIds(`Kez-Id: ${kezId().slice(1)}=`)(alice, bob),
    (alice, bob) => withIds(`Kez-Id: ${kezId().slice(1)}+`)(alice, bob)
  ]),
  refused("two-kez-ids", "a send with two of them", "bad", [
    (alice, bob) => withIds(`Kez-Id: ${kezId()}`, `Kez-Id: ${kezId()}`)(alice, bob)
  ]),
  refused("size", "a frame that is empty or one byte too large", "size", [
    (alice, bob) => alice.send(bob.hex, Buffer.alloc(0)),
    (alice, bob) => alice.send(bob.hex, sealed(maxFrameBytes + 1))
  ]),
  {
    id: "largest",
    requirements: ["KEZ-NAT-023", "KEZ-NAT-051"],
    why: "a frame of 65,536 bytes with headers of 1,024 is stored",
    run: async (visit) => {
      const [alice] = await visit.friends()
      const before = await alice.lastSeq()
      const frame = sealed(maxFrameBytes)
      const id = `Kez-Id: ${kezId()}`
      const padding = 1_024 - headerBlock(id, "Kez-Other: ").length
      const header = headerBlock(id, `Kez-Other: ${"x".repeat(padding)}`)
      isOk(await alice.sendWith(alice.hex, frame, header), "the largest frame with the largest headers")
      holdsFrames(await alice.framesAfter(before), [frame], "the largest frame is not stored")
    }
  },
  {
    id: "max-payload",
    requirements: ["KEZ-NAT-051", "KEZ-NAT-043"],
    why: "what is larger than a frame with its headers is not even read",
    run: (visit) =>
      visit.onEveryPort(async (url) => {
        const alice = await visit.login((await visit.user("alice")).account, url)
        const header = headerBlock(`Kez-Id: ${kezId()}`)
        const payload = sealed(maxMessageBytes + 1 - header.length)
        alice.client.publish(`kez.inbox.${alice.hex}`, payload, { header, reply: `_INBOX_${alice.hex}.kezct` })
        await alice.client.closed(`a message of ${maxMessageBytes + 1} bytes is taken`)
      })
  },
  {
    id: "order",
    requirements: ["KEZ-NAT-047"],
    why: "what one sender sends without waiting arrives in the order it was sent",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const before = await bob.lastSeq()
      const frames = Array.from({ length: 40 }, () => sealed(60))
      for (const answer of await Promise.all(frames.map((frame) => alice.send(bob.hex, frame)))) isOk(answer, "a send")
      holdsFrames(await bob.framesAfter(before), frames, "frames are stored in another order")
    }
  },
  {
    id: "answers",
    requirements: ["KEZ-NAT-023"],
    why: "every answer of the run was ok alone, signed where that was asked, or a code of the table, and tells nothing about what is stored",
    last: true,
    run: async ({ answers }) => {
      if (answers.length === 0) throw new NotChecked("not-applicable", "this run sent nothing")
      for (const answer of answers) {
        if (answer === '{"ok":1}' || signedForm.test(answer)) continue
        const { code = "" } = refusalOf(answer) ?? {}
        const members = code === "" ? [] : Object.keys(JSON.parse(answer) as object)
        if (
          !/^(?:full|slow|retry|unknown|bad|size|moved)$/.test(code) ||
          members.some((name) => name !== "e" && name !== "at")
        )
          throw new Violation("an answer to a send is neither ok nor a code of the table", undefined, answer)
      }
    }
  },
  {
    id: "at",
    requirements: ["KEZ-NAT-055"],
    why: "a time with a refusal is one from which another try can succeed",
    last: true,
    run: async ({ answers, home }) => {
      const times = answers.flatMap((answer) => refusalOf(answer)?.at ?? [])
      if (times.length === 0) throw new NotChecked("not-applicable", "no refusal of this run had a time")
      for (const at of times)
        demand(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(at) && at > home.time(-86_400), "at is no time to come", at)
    }
  }
])
