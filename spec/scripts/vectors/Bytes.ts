/** Bytes and their texts, for the generator of vectors. Plain Node: it shares no code with the SDK that the vectors test. */

export const bytes = (...parts: ReadonlyArray<Uint8Array | string>): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "utf8") : part)))

export const fromHex = (text: string): Buffer => Buffer.from(text, "hex")
export const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex")
export const base64Url = (data: Uint8Array | string): string => Buffer.from(data).toString("base64url")
export const byte = (...values: ReadonlyArray<number>): Buffer => Buffer.from(values)

export const u16 = (value: number): Buffer => {
  const buffer = Buffer.alloc(2)
  buffer.writeUInt16BE(value)
  return buffer
}
export const u32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}
export const u64 = (value: number | bigint): Buffer => {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(BigInt(value))
  return buffer
}
