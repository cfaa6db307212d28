/** The shim protocol, version 1: docs/shim-protocol.md. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import responseSchema from "../../schemas/shim-response.schema.json" with { type: "json" }
import startSchema from "../../schemas/shim-start.schema.json" with { type: "json" }
import type { Profile } from "../suite/Checks.ts"

export const protocolVersion = 1
export const maxLineBytes = 8 * 1024 * 1024

export interface Request {
  readonly seq: number
  readonly cmd: string
  readonly test?: string
  readonly args: Readonly<Record<string, unknown>>
}

export interface Response {
  readonly seq: number
  readonly ok?: unknown
  readonly error?: { readonly code: string; readonly message?: string }
  readonly unsupported?: true
  readonly issue?: string
  readonly internal?: { readonly message: string; readonly trace?: string }
}

export interface Started {
  readonly protocol: 1
  readonly implementation: {
    readonly name: string
    readonly version: string
    readonly language: string
    readonly issues?: string
  }
  readonly profiles: ReadonlyArray<Profile>
  readonly ops: ReadonlyArray<string>
  /** What of the optional things it can do; a check that needs another one is not applicable. */
  readonly features?: ReadonlyArray<Feature>
  readonly limits?: { readonly maxParallel?: number }
}

export type Feature = "clock" | "handedOver" | "inboxPolicy" | "rotates" | "trimsItself" | "websocket"

const ajv = new Ajv2020({ allErrors: false, strict: true, strictRequired: false })

/** The value, or a sentence that says what is wrong with it. */
const reader =
  <A>(validate: ValidateFunction, what: string) =>
  (value: unknown): A | string => {
    if (validate(value)) return value as A
    const { instancePath, message } = validate.errors?.[0] ?? {}
    return `${what} does not fit its schema: ${instancePath === "" ? "it" : instancePath} ${message}`
  }

const readResponseValue = reader<Response>(ajv.compile(responseSchema), "a response")
export const readStarted = reader<Started>(ajv.compile(startSchema), "the answer to start")

/** A line of a shim's output as a response, or a sentence that says what is wrong with it. */
export const readResponse = (line: string): Response | string => {
  try {
    return readResponseValue(JSON.parse(line))
  } catch {
    return `a line of output is not JSON: ${shown(line)}`
  }
}

/** Text of unknown length and content for a terminal or a report. */
export const shown = (text: string, most = 200): string => {
  const plain = text.replace(/[\p{Cc}\p{Cf}]/gu, "\u{fffd}")
  return plain.length > most ? `${plain.slice(0, most)}… (${plain.length} characters)` : plain
}

/** Whether a list of operations, in which a last `*` stands for any rest, has one. */
export const hasOperation = (ops: ReadonlyArray<string>, operation: string): boolean =>
  ops.some((name) => (name.endsWith("*") ? operation.startsWith(name.slice(0, -1)) : name === operation))
