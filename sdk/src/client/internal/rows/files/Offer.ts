/** Offers of files, and requests for the addresses of this device. */
import * as Schema from "effect/Schema"
import { Count, row } from "../Row.ts"

export const OfferOf = row(Schema.Struct({ peer: Schema.String, order: Count }))

export const Asked = row(
  Schema.Struct({
    /** base64url. */
    nonce: Schema.String,
    /** When the broker stored the request. */
    at: Schema.Number
  })
)

export const prefix = { offers: "offerOf/", asked: "asked/" } as const

export const key = {
  offerOf: (blobHash: string, author: string) => `${prefix.offers}${blobHash}/${author}`,
  asked: (hex: string) => `${prefix.asked}${hex}`
} as const
