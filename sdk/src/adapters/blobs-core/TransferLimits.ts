/** What one endpoint spends on others. Not part of the protocol: a peer that meets one is told to come back later. */
export interface TransferLimits {
  /** Connections from peers at a time; strangers make room first. */
  readonly connections: number
  readonly connectionsPerPeer: number
  /** Requests in work at a time, from all and from one peer. */
  readonly requests: number
  readonly requestsPerPeer: number
  /** Until a request must have arrived whole. */
  readonly requestMillis: number
  /** Within which the network must take, and the fetcher must get, the next piece. */
  readonly stallMillis: number
  /** Until a peer must have answered a dial, taken a new stream, and begun to answer a request. */
  readonly dialMillis: number
  /** How long a connection that nobody uses is kept for the next fetch. */
  readonly keepMillis: number
}

export const defaultLimits: TransferLimits = {
  connections: 64,
  connectionsPerPeer: 4,
  requests: 64,
  requestsPerPeer: 8,
  requestMillis: 10_000,
  stallMillis: 30_000,
  dialMillis: 10_000,
  keepMillis: 15_000
}

/** Bytes handed to the network, and asked of it, at a time. */
export const pieceBytes = 64 * 1024
