/**
 * The headers of a request that an end user made, read in one pass over their bytes.
 *
 * nats.js takes time for them that grows with the square of their number, and 64 KiB of short ones would stop this
 * process for seconds. It also refuses blocks that the broker lets through, and then nobody would know whose they are.
 */
import type { Msg } from "@nats-io/nats-core"
import { Bytes, Limits } from "@kez-chat/sdk/protocol"
import { isObject } from "../JsonObject.ts"

/** What nats.js (the exact version is pinned) holds of a message and does not show. */
interface Held {
  readonly _msg: { readonly hdr: number }
  readonly _rdata: Uint8Array
}

/** Ours are one line, and the broker adds some 300 bytes; what is longer is no request of a client that follows the rules. */
const blockBytes = 2_048
const infoName = "\r\nNats-Request-Info:"

export interface RequestHeaders {
  /** The key that the broker vouches for, 64 hex characters. */
  readonly sender: string
  /** Every value of this header, or undefined where the block is too long to be looked at. */
  values(name: string): ReadonlyArray<string> | undefined
}

/** Bytes of a request, its headers included. */
export const sizeOf = (message: Msg): number => {
  const { _rdata } = message as unknown as Held
  return _rdata.length
}

/** Undefined when the broker names no user, which it does for every request that its import shares. */
export const read = (message: Msg): RequestHeaders | undefined => {
  const { _msg, _rdata } = message as unknown as Held
  if (_msg.hdr <= 0) return undefined
  const block = Buffer.from(_rdata.buffer, _rdata.byteOffset, _msg.hdr)
  // The broker removes what a client wrote under this name and puts its own line behind all the client's lines.
  const at = block.lastIndexOf(infoName)
  if (at < 0) return undefined
  const sender = userOf(block.toString("latin1", at + infoName.length, block.indexOf("\r\n", at + infoName.length)))
  if (sender === undefined) return undefined
  return {
    sender,
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
