/**
 * Writes spec/walkthrough.md: one message from a new account to another and back, with every byte.
 *
 *     node spec/scripts/make-walkthrough.ts           writes it
 *     node spec/scripts/make-walkthrough.ts --check   exits 1 if the file is not what this would write
 *
 * Made with the generator of the vectors. `conformance/test/Walkthrough.test.ts` has the reference implementation take
 * the values that stand behind a `value:` comment.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import process from "node:process"
import { base64Url, byte, bytes, hex, u32, u64 } from "./vectors/Bytes.ts"
import { nkey, safety } from "./vectors/identity.ts"
import * as Primitives from "./vectors/Primitives.ts"
import {
  type Account,
  alice,
  bob,
  type Envelope,
  envelopeHash,
  jcs,
  type JsonObject,
  message,
  sealFrame,
  sign,
  time
} from "./vectors/Protocol.ts"

const server = "kez.example"
const words = {
  alice: `${"drastic bamboo mountain loyal category cancel animal embark ".repeat(3).trim()}`,
  bob: "rifle cactus regular render normal toast sort height tide cargo leopard toe mobile mercy conduct tent asthma sure exclude spirit kangaroo shield real sell"
}
const random = (label: string, length: number): Buffer => Primitives.stream(`walkthrough ${label}`, length)
const after = (seconds: number): string =>
  new Date(Date.parse(time) + seconds * 1000).toISOString().replace(".000Z", "Z")

const description: JsonObject = {
  server,
  broker: { tcp: [`tls://nats.${server}:4222`], websocket: [`wss://${server}/nats`] },
  sig_server: `https://sig.${server}`,
  limits: { retention_days: 30 }
}
const endpointOf = (who: Account): JsonObject => ({
  protocol: "nats",
  url: `tls://nats.${server}:4222`,
  ws_url: `wss://${server}/nats`,
  inbox: `kez.inbox.${who.hex}`
})
const firstEvent = (who: Account): Envelope =>
  sign(who, "sigchain_event", {
    type: "kez.sigchain.event",
    version: 1,
    primary: who.primary,
    seq: 0,
    created_at: time,
    op: "add_endpoint",
    payload: endpointOf(who)
  })
const registrationOf = (who: Account, handle: string): Envelope =>
  sign(who, "handle_registration", {
    type: "kez.chat.handle_registration",
    version: 1,
    handle,
    server,
    primary: who.primary,
    created_at: time
  })
const recordOf = (who: Account, handle: string): JsonObject => ({
  handle: `${handle}@${server}`,
  primary: who.primary,
  registered_at: time,
  sigchain_url: `https://sig.${server}/v1/sigchains/ed25519/${who.hex}`,
  endpoints: [endpointOf(who)],
  registration: registrationOf(who, handle)
})
const headOf = (who: Account): JsonObject => ({ seq: 0, hash: envelopeHash(firstEvent(who)) })

const host = `nats.${server}`
const nonce = base64Url(random("nonce", 11))
const login = bytes("kez/nats-auth/v1", byte(0), host, byte(0), nonce)
const loginSignature = base64Url(Primitives.ed25519Sign(alice.seed, login))

const body = bytes(jcs({ type: "text", text: "Hello Bob", chain: headOf(alice) }))
const sent = message(
  {
    from: alice,
    to: bob,
    id: base64Url(random("message", 16)),
    device: base64Url(random("alice's device", 16)),
    createdAt: after(60),
    salt: random("salt", 32)
  },
  body
)
const toBob = sealFrame(bob, bytes(jcs(sent.envelope)), random("ephemeral key 1", 32))
const toSelf = sealFrame(alice, bytes(jcs(sent.envelope)), random("ephemeral key 2", 32))

const epoch = random("epoch", 16)
const request = random("request", 16)
const stored = Date.parse(after(61))

const receiptBody = bytes(
  jcs({ type: "receipt", status: "delivered", ids: [sent.payload["id"] as string], chain: headOf(bob) })
)
const receipt = message(
  {
    from: bob,
    to: alice,
    id: base64Url(random("receipt", 16)),
    device: base64Url(random("bob's device", 16)),
    createdAt: after(90),
    salt: random("salt 2", 32)
  },
  receiptBody
)
const receiptFrame = sealFrame(alice, bytes(jcs(receipt.envelope)), random("ephemeral key 3", 32))
const numbers = safety(alice, bob)

/** Lines of 64 characters. */
const wrapped = (text: string): string => (text.match(/.{1,64}/g) ?? []).join("\n")
const block = (name: string, text: string, language = ""): string =>
  `<!-- value: ${name} -->\n\n\`\`\`${language}\n${text}\n\`\`\``
const pretty = (value: JsonObject): string => JSON.stringify(value, undefined, 2)
const json = (name: string, value: JsonObject): string => block(name, pretty(value), "json")
const sizeOf = (value: JsonObject): string => `${jcs(value).length} bytes`
const kezId = (label: string): string => base64Url(random(label, 16))
const header = (label: string): string => `NATS/1.0\r\nKez-Id: ${kezId(label)}\r\n\r\n`
const lengths = (label: string, frame: Buffer): string =>
  `${header(label).length} ${header(label).length + frame.length}`

const connect: JsonObject = {
  verbose: false,
  pedantic: false,
  headers: true,
  no_responders: true,
  lang: "example",
  version: "1",
  protocol: 1,
  nkey: nkey(0xa0, alice.ed32),
  sig: loginSignature
}

const text = `<!-- Written by \`node spec/scripts/make-walkthrough.ts\`; edit that. -->

# Walkthrough

One message from a new account to another, and its receipt: every request, every answer, every byte. Nothing here is a
requirement; the pages that are linked say what must be so. Write a client in this order and compare what it makes with the
values below. They are made like the [vectors](vectors/README.md), from seeds and labels, where a client draws at random.

JSON is shown with line breaks. What is signed, hashed or encrypted is its JCS form (RFC 8785), whose length is given. Long
values are broken into lines of 64 characters.

## 1. Keys

Alice's seed is 32 bytes of \`42\`. Her 24 words, BIP-39 of the seed itself ([identity.md](identity.md)):

${block("alice-words", words.alice)}

\`\`\`
seed       ${hex(alice.seed)}
ed25519    ${alice.hex}
x25519     ${hex(alice.x25519)}
primary    ${alice.primary}
nkey       ${nkey(0xa0, alice.ed32)}
\`\`\`

Bob has these:

${block("bob-words", words.bob)}

\`\`\`
seed       ${hex(bob.seed)}
primary    ${bob.primary}
x25519     ${hex(bob.x25519)}
\`\`\`

## 2. The home describes itself

\`GET https://${server}/.well-known/kez-chat\` answers with the [server description](registration.md#server-description):

${json("description", description)}

\`server\` is the server part of the handle that Alice wants, so she may register here.

## 3. The sigchain begins

Alice signs the first event of her [sigchain](sigchain.md). The signature is Ed25519 over SHA-512 of the JCS form of
\`payload\`:

\`\`\`
JCS(payload)          ${sizeOf(firstEvent(alice).payload)}
SHA-512 of it         ${hex(Primitives.sha512(bytes(jcs(firstEvent(alice).payload)))).slice(0, 64)}
                      ${hex(Primitives.sha512(bytes(jcs(firstEvent(alice).payload)))).slice(64)}
JCS(envelope)         ${sizeOf(firstEvent(alice))}
envelope hash         ${envelopeHash(firstEvent(alice))}
\`\`\`

\`POST https://sig.${server}/v1/sigchains/ed25519/${alice.hex}/events\`, \`Content-Type: application/json\`:

${json("event", firstEvent(alice))}

201:

${json("head", headOf(alice))}

## 4. The handle

\`POST https://${server}/v1/register\`, \`Content-Type: application/json\` ([registration.md](registration.md#registering)):

${json("registration", registrationOf(alice, "alice"))}

201, the [record](registration.md#record):

${json("record", recordOf(alice, "alice"))}

## 5. Login at the broker

Alice opens \`tls://${host}:4222\`. The broker begins, here without members that do not matter:

\`\`\`
INFO {"server_id":"…","headers":true,"auth_required":true,"nonce":"${nonce}"}
\`\`\`

The [login bytes](broker.md#login) name the host that was dialled:

\`\`\`
${wrapped(hex(login))}
\`\`\`

<!-- value: login-signature -->

\`\`\`
${wrapped(loginSignature)}
\`\`\`

\`\`\`
CONNECT ${JSON.stringify(connect)}
PING
\`\`\`

The broker answers \`PONG\`: Alice is logged in. She subscribes to the replies to her requests and to live delivery, and only
then fetches what waits for her ([positions](broker.md#positions)):

\`\`\`
SUB _INBOX_${alice.hex}.> 1
SUB kez.dlv.${alice.hex} 2
\`\`\`

## 6. Looking Bob up

\`GET https://${server}/v1/u/bob\` answers with Bob's record. Alice verifies its \`registration\`, then fetches
\`https://sig.${server}/v1/sigchains/ed25519/${bob.hex}\`, which holds one line, and verifies that too. She pins
Bob's primary and keeps the head of his chain:

${json("bob-record", recordOf(bob, "bob"))}

${json("bob-chain", firstEvent(bob))}

${json("bob-head", headOf(bob))}

## 7. A message is written

The body ([messages.md](messages.md#bodies)), ${body.length} bytes, with the head of Alice's own chain:

${json("body", JSON.parse(body.toString()) as JsonObject)}

Padded, it has ${sent.plaintext.length} bytes. Key and nonce come from both static keys and the salt
([suite](messages.md#suite)):

\`\`\`
X25519(Alice, Bob)    ${hex(sent.shared)}
salt                  ${hex(sent.salt)}
key                   ${hex(sent.key)}
nonce                 ${hex(sent.nonce)}
aad                   ${sent.aad.length} bytes, JCS of the payload without \`ciphertext\`
\`\`\`

The signed envelope, ${sizeOf(sent.envelope)}, envelope hash
\`${envelopeHash(sent.envelope)}\`:

${json("envelope", sent.envelope)}

## 8. It is sealed and sent

Twice ([seal](messages.md#seal)): for Bob, and for Alice herself, so that her words bring it back. Both frames are in her
durable store before the first one leaves. Hexadecimal, Bob's frame of ${toBob.frame.length} bytes and Alice's own copy:

\`\`\`
ephemeral key         ${hex(random("ephemeral key 1", 32))}
enc                   ${hex(toBob.enc)}
key                   ${hex(toBob.key)}
base_nonce            ${hex(toBob.nonce)}
\`\`\`

${block("frame", wrapped(hex(toBob.frame)))}

${block("own-copy", wrapped(hex(toSelf.frame)))}

Each is a NATS request with a \`Kez-Id\` of its own. Bob's goes first, and its answer is awaited:

\`\`\`
HPUB kez.inbox.${bob.hex} _INBOX_${alice.hex}.1 ${lengths("kez-id 1", toBob.frame)}
NATS/1.0
Kez-Id: ${kezId("kez-id 1")}

<the frame for Bob>

MSG _INBOX_${alice.hex}.1 1 8
{"ok":1}
\`\`\`

The message is **stored**: Bob's frame lies on the stream subject \`kez.inbox.${bob.hex}\`. Then
Alice's own copy goes, and is stored on \`kez.self.${alice.hex}\`:

\`\`\`
HPUB kez.inbox.${alice.hex} _INBOX_${alice.hex}.2 ${lengths("kez-id 2", toSelf.frame)}
NATS/1.0
Kez-Id: ${kezId("kez-id 2")}

<the own copy>

MSG _INBOX_${alice.hex}.2 1 8
{"ok":1}
\`\`\`

## 9. Bob fetches

Bob was away. He logs in as Alice did, subscribes, and asks for all there is, in a request on
\`kez.fetch.${bob.hex}\`:

${json("fetch", { after: 0, n: base64Url(request) })}

The answer is a [page](broker.md#fetch) with one frame, number 6 of the stream:

<!-- value: page-header -->

\`\`\`
01                                  version
${hex(epoch)}    epoch
${bob.hex.slice(0, 32)}    pk32, Bob's
${bob.hex.slice(32)}
${hex(request)}    n of the request
0000000000000007                    last_seq 7: Alice's own copy
00000000                            pending 0
0001                                count 1
0000000000000006                    seq 6
${hex(u64(stored))}                    time_ms, ${after(61)}
${hex(u32(toBob.frame.length))}                            len ${toBob.frame.length}, then the frame for Bob
\`\`\`

He opens the frame with his own key, and takes the [steps of receiving](messages.md#receiving): the envelope is a \`chat_message\`,
signed by its \`from\`; \`from\` is another account, \`to\` is his: an incoming message. He decrypts it with the shared secret of
step 7, stores it, and moves his positions to 6. Alice is not a contact of his, so it is a message request, and he owes no
receipt. He looks her up by primary, accepts her, and compares the [safety number](identity.md#safety-number) with her:

${block("safety-number", numbers.number)}

## 10. The receipt

Once Alice is accepted, Bob's client may tell her that he has her message ([receipts](messages.md#receipts)). The body:

${json("receipt-body", JSON.parse(receiptBody.toString()) as JsonObject)}

The envelope, signed by Bob, ${sizeOf(receipt.envelope)}:

${json("receipt-envelope", receipt.envelope)}

One frame goes to \`kez.inbox.${alice.hex}\`; receipts have no own copy:

${block("receipt-frame", wrapped(hex(receiptFrame.frame)))}

Alice, who is still connected, gets it on \`kez.dlv.${alice.hex}\`:

\`\`\`
Nats-Stream: KEZ_INBOX
Nats-Subject: kez.inbox.${alice.hex}
Nats-Sequence: 8
Nats-Last-Sequence: 0
\`\`\`

\`Nats-Last-Sequence\` says that no frame was before it on that subject, and her position there is 0: no gap. The receipt names
a message that Alice wrote to its author: the message is **delivered**.
`

const file = path.resolve(import.meta.dirname, "../walkthrough.md")
if (process.argv.includes("--check")) {
  if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text) {
    process.stderr.write("spec/walkthrough.md is not what spec/scripts/make-walkthrough.ts writes\n")
    process.exitCode = 1
  }
} else fs.writeFileSync(file, text)
