/**
 * The headers of a request that an end user made, read in one pass over their bytes.
 *
 * The time that nats.js takes grows with the square of their number: 64 KiB of short headers would stop this process
 * for seconds. It also refuses blocks that the broker lets through, and then the sender would be unknown.
 */
import type { Msg } from "@nats-io/nats-core"
import { Bytes, Limits } from "@kez-chat/sdk/protocol"
import { isObject } from "../JsonObject.ts"

/** Private fields of a message in nats.js, whose exact version is pinned. */
interface Held {
  readonly _msg: { readonly hdr: number }
  readonly _rdata: Uint8Array
}

/** Clients send one line and the broker adds about 300 bytes; a longer block breaks the protocol. */
const blockBytes = 2_048
const infoName = "\r\nNats-Request-Info:"

export interface RequestHeaders {
  /** The sender's key, asserted by the broker; 64 hex characters. */
  readonly sender: string
  /** Whether a header may be there; cheap, for one that most requests do not have. */
  mentions(name: string): boolean
  /** All values of this header; undefined if the block is too long. */
  values(name: string): ReadonlyArray<string> | undefined
}

/** Bytes of a request, its headers included. */
export const sizeOf = (message: Msg): number => {
  const { _rdata } = message as unknown as Held
  return _rdata.length
}

/** Undefined if the broker names no user. For requests over a shared import it always does. */
export const read = (message: Msg): RequestHeaders | undefined => {
  const { _msg, _rdata } = message as unknown as Held
  if (_msg.hdr <= 0) return undefined
  const block = Buffer.from(_rdata.buffer, _rdata.byteOffset, _msg.hdr)
  // The broker removes a client's headers of this name and appends its own line.
  const at = block.lastIndexOf(infoName)
  if (at < 0) return undefined
  const sender = userOf(block.toString("latin1", at + infoName.length, block.indexOf("\r\n", at + infoName.length)))
  if (sender === undefined) return undefined
  return {
    sender,
    mentions: (name) => block.includes(`\r\n${name}:`),
    values: (name) => {
      if (block.length > blockBytes) return undefined
      const lines = block.toString("latin1").split("\r\n")
      return lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim())
    }
  }
}

const userOf = (line: string): string | undefined => {
  try {
    const info: unknown = JSON.parse(line)
    return isObject(info) &&
      info.acc === "CHAT" &&
      typeof info.user === "string" &&
      Bytes.isHex(info.user, Limits.keyBytes)
      ? info.user
      : undefined
  } catch {
    return undefined
  }
}
