/**
 * The part of `@number0/iroh` that the SDK's transport uses, under the same names. Streams take and return typed arrays;
 * keys, protocols and reasons are arrays of numbers, as there. Answers of iroh-blobs are not there. Rust's documentation comments in `src` say what each does.
 */

/** Of this interface, as the built addon has it: it may be older than this file. The SDK uses one version and no other. */
export declare const INTERFACE_VERSION: number

export declare class RelayMode {
  static disabled(): RelayMode
  static defaultMode(): RelayMode
  static customFromUrls(urls: Array<string>): RelayMode
  toString(): string
}

export declare class EndpointId {
  static fromBytes(bytes: Array<number>): EndpointId
  toBytes(): Array<number>
}

export declare class EndpointAddr {
  constructor(id: EndpointId, relayUrl?: string | null, addresses?: Array<string> | null)
  directAddresses(): Array<string>
  relayUrl(): string | null
}

export declare class EndpointBuilder {
  secretKey(bytes: Array<number>): void
  alpns(alpns: Array<Array<number>>): void
  relayMode(mode: RelayMode): void
  bindAddr(address: string): void
  bind(): Promise<Endpoint>
}

export declare function presetMinimal(builder: EndpointBuilder): void

export declare class Endpoint {
  static builder(): EndpointBuilder
  id(): EndpointId
  addr(): EndpointAddr
  boundSockets(): Array<string>
  connect(addr: EndpointAddr, alpn: Array<number>): Promise<Connection>
  acceptNext(): Promise<Incoming | null>
  close(): Promise<void>
}

export interface IncomingAddr {
  kind: string
}

export declare class Incoming {
  remoteAddr(): Promise<IncomingAddr>
  refuse(): Promise<void>
  accept(): Promise<Accepting>
}

export declare class Accepting {
  connect(): Promise<Connection>
}

export interface PathSnapshot {
  isSelected: boolean
  isRelay: boolean
}

export declare class Connection {
  remoteId(): EndpointId
  paths(): Array<PathSnapshot>
  openBi(): Promise<BiStream>
  acceptBi(): Promise<BiStream>
  close(errorCode: bigint, reason: Array<number>): void
  setMaxConcurrentUniStreams(count: bigint): void
  setMaxConcurrentBiStreams(count: bigint): void
  setReceiveWindow(count: bigint): void
}

export declare class BiStream {
  get send(): SendStream
  get recv(): RecvStream
}

export declare class SendStream {
  /** At most 1 MiB, copied before this returns. */
  writeAll(bytes: Uint8Array): Promise<void>
  /** The answer for these chunks (`ChunkRanges.within` the blob) of a blob. Copies the outboard. */
  answer(hash: Uint8Array, size: number, outboard: Uint8Array, boundaries: Float64Array): AnswerWriter
  finish(): Promise<void>
  /** Ends a write under way. */
  reset(errorCode: bigint): Promise<void>
  stopped(): Promise<number | null>
}

export declare class RecvStream {
  /** From 1 byte to 1 MiB. */
  read(sizeLimit: number): Promise<Uint8Array>
  /** The answer for these chunks (`ChunkRanges.within` the blob) of a blob. */
  answer(hash: Uint8Array, size: number, boundaries: Float64Array): AnswerReader
  /** Ends a read under way. */
  stop(errorCode: bigint): Promise<void>
}

/** Verified items of an answer. */
export interface AnswerPart {
  /** Kind (0 size, 1 pair, 2 leaf), place (the size, the pair's index, the leaf's offset) and length of each. */
  items: Float64Array
  /** Their bytes, one after another. */
  bytes: Uint8Array
  isWhole: boolean
}

export declare class AnswerReader {
  /** At least one item; null when the stream has ended, whole or not. Rejects with `mismatch: ` for a wrong byte. */
  next(): Promise<AnswerPart | null>
  /** Bytes that have arrived, verified or not. */
  get received(): number
}

export declare class AnswerWriter {
  /** The bytes of the blob that `write` takes next; null at the end. Throws `mismatch: ` for a wrong outboard. */
  run(): { offset: number; length: number } | null
  /** Rejects with `mismatch: `, and sends nothing, for bytes that are not the blob's. */
  write(bytes: Uint8Array): Promise<void>
}
