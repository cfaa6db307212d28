/** The limits in force here, by name with their units, as `/.well-known/kez-chat` publishes them. */
import { Limits } from "@kez-chat/sdk/protocol"
import type { ChatConfig } from "./ChatConfig.ts"

/** Limits of this server's HTTP side. A rate of 0 is off and not listed. */
export const publishedLimits = (config: ChatConfig["Service"]): Readonly<Record<string, number>> => ({
  handle_min_characters: Limits.handleMin,
  handle_max_characters: Limits.handleMax,
  registration_max_bytes: Limits.registrationBytes,
  statement_window_seconds: Limits.statementWindowMillis / 1_000,
  frame_max_bytes: Limits.frameBytes,
  message_body_max_bytes: Limits.bodyBytes,
  manifest_max_bytes: Limits.manifestBytes,
  manifests_kept: Limits.manifestsKept,
  transfers_per_day: Limits.transfersPerDay,
  ...rate("reads_per_minute", config.rates.readsPerMinute),
  ...rate("registrations_per_hour", config.rates.registrationsPerHour),
  ...rate("manifest_reads_per_minute", config.rates.manifestReadsPerMinute),
  ...rate("manifest_writes_per_hour", config.rates.manifestWritesPerHour)
})

const rate = (name: string, value: number): Readonly<Record<string, number>> => (value === 0 ? {} : { [name]: value })
