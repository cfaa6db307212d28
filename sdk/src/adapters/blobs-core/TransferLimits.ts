/** Resource limits of one endpoint. Not part of the protocol: a peer that reaches one gets `limit` and may retry. */
export interface TransferLimits {
  /** Concurrent connections from peers; those of strangers are closed first. */
  readonly connections: number
  readonly connectionsPerPeer: number
  /** Concurrent requests, in total and per peer. */
  readonly requests: number
  readonly requestsPerPeer: number
  /** Deadline for receiving a whole request, in milliseconds. */
  readonly requestMillis: number
  /** Deadline for the network to take, and the fetcher to receive, the next piece. */
  readonly stallMillis: number
  /** Deadline for a peer to answer a dial, to accept a new stream, and to start answering a request. */
  readonly dialMillis: number
  /** How long an idle connection is kept for the next fetch. */
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

/** Bytes per write to the network and per read from it. */
export const pieceBytes = 64 * 1024
