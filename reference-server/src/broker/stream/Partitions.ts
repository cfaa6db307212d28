/**
 * Which of several streams holds an account's mail: the first byte of its key decides, in ranges of equal size.
 *
 * Each stream is in a NATS account of its own, under the same name and subjects, so that clients see one stream whatever
 * their number: the broker names the stream in what it delivers, and clients take no other name (spec KEZ-NAT-035).
 */
import type { RoleConnection } from "../connections/RoleConnection.ts"
import type { StoreProbe } from "./StoreProbe.ts"
import type { StreamWatch } from "./StreamWatch.ts"

/** Most streams. Each adds an import to every user's subscription, and two connections to each chat-server. */
export const maxPartitions = 16

/** The partition, from 0, of the account with this public key in hexadecimal. */
export const partitionOf = (hex: string, partitions: number): number =>
  (Number.parseInt(hex.slice(0, 2), 16) * partitions) >> 8

/** The part of `--store-bytes` that one stream may take, in bytes. */
export const shareOf = (storeBytes: number, partitions: number): number => Math.floor(storeBytes / partitions)

/** What a chat-server has for one stream. */
export interface Partition {
  /** Removes. */
  readonly registrar: RoleConnection
  /** GATEWAY's connection that stores and reads. */
  readonly store: RoleConnection
  readonly stream: StreamWatch
  readonly probe: StoreProbe
}

/** Finds an account's. */
export const finder =
  <A>(partitions: ReadonlyArray<A>) =>
  (hex: string): A =>
    partitions[partitionOf(hex, partitions.length)] as A
