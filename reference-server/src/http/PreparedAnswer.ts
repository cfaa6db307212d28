/** A JSON answer that is kept to be sent again and again. */
export interface PreparedAnswer {
  readonly body: string
  /** Of the body; ASCII takes the shorter way to the socket. */
  readonly encoding: "latin1" | "utf8"
  /** Bytes of the body, in digits. */
  readonly length: string
}

export const preparedAnswer = (text: string): PreparedAnswer => {
  const bytes = Buffer.from(text)
  const encoding = bytes.length === text.length ? "latin1" : "utf8"
  // Decoded again, since a text put together from pieces is put together anew each time it is sent.
  return { body: bytes.toString(encoding), encoding, length: String(bytes.length) }
}
