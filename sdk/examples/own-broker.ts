/** A Broker adapter of one's own: one that wraps another and tells what passes through it. */
import { Broker } from "@kez-chat/sdk/services"
import { Effect, Layer, Stream } from "effect"

export interface Traffic {
  readonly direction: "sent" | "fetched" | "live"
  readonly bytes: number
}

/** Tells `observe` of every frame. Frames are sealed: their size is all there is to see. */
export const observed = (observe: (traffic: Traffic) => void): Layer.Layer<Broker, never, Broker> =>
  Layer.effect(
    Broker,
    Broker.use((inner) =>
      Effect.succeed({
        connect: (login) =>
          Effect.map(inner.connect(login), (connection) => ({
            state: connection.state,
            send: (recipient, kezId, frame) =>
              Effect.tap(connection.send(recipient, kezId, frame), () =>
                Effect.sync(() => observe({ direction: "sent", bytes: frame.length }))
              ),
            fetch: (after, epoch) =>
              Effect.tap(connection.fetch(after, epoch), ({ frames }) =>
                Effect.sync(() => {
                  for (const { frame } of frames) observe({ direction: "fetched", bytes: frame.length })
                })
              ),
            trim: connection.trim,
            block: connection.block,
            check: connection.check,
            get live() {
              return Stream.tap(connection.live, ({ frame }) =>
                Effect.sync(() => observe({ direction: "live", bytes: frame.length }))
              )
            }
          }))
      })
    )
  )
