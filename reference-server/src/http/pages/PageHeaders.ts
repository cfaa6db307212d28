/** The response headers of the web client's files: what the page and its workers may load, run and connect to. */

import type { Registration } from "@kez-chat/sdk/protocol"

/** Origins besides its own that the page's account worker connects to. */
export interface Reach {
  readonly publicSigServerUrl: string
  readonly publicWsUrls: ReadonlyArray<string>
  readonly proofSources: Registration.ProofSources
}

const policy = (...directives: ReadonlyArray<string>): string => directives.join("; ")

/** Holds no key, connects to its own server only and needs no inline code. */
const pagePolicy = policy(
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html kez-chat"
)

/** A worker's own response carries its policy. WebAssembly is for Argon2id. */
const accountWorkerPolicy = ({ proofSources, publicSigServerUrl, publicWsUrls }: Reach): string => {
  const proofs = Object.values(proofSources).flat()
  const origins = [publicSigServerUrl, ...publicWsUrls, ...proofs].map((url) => new URL(url).origin)
  return policy(
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `connect-src ${["'self'", ...new Set(origins)].join(" ")}`
  )
}

const serviceWorkerPolicy = policy("default-src 'none'", "script-src 'self'", "connect-src 'self'")

/** For what is neither a page nor a worker: opened as one, it may do nothing. */
const inertPolicy = policy("default-src 'none'", "frame-ancestors 'none'")

/** Only the camera, which scans safety numbers. Passkeys and the clipboard keep their default, the page itself. */
const permissions = [
  "camera=(self)",
  ...[
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "clipboard-read",
    "compute-pressure",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "keyboard-map",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "sync-xhr",
    "usb",
    "window-management",
    "xr-spatial-tracking"
  ].map((feature) => `${feature}=()`)
].join(", ")

const types: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
  woff2: "font/woff2"
}

const policyOf = (path: string, reach: Reach): string => {
  if (path === "/") return pagePolicy
  if (/^\/assets\/account-[^/]+\.js$/.test(path)) return accountWorkerPolicy(reach)
  return path === "/service-worker.js" ? serviceWorkerPolicy : inertPolicy
}

/** The headers of the file that is served at `path`. `/assets/` has a hash in every name, so those never change. */
export const pageHeaders = (path: string, reach: Reach): Readonly<Record<string, string>> => ({
  "content-type": types[path === "/" ? "html" : (path.split(".").at(-1) ?? "")] ?? "application/octet-stream",
  "cache-control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
  "content-security-policy": policyOf(path, reach),
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  ...(path === "/" ? { "permissions-policy": permissions } : {})
})
