import { defineConfig } from "tsup"

// One program file, and a chunk for each part that is loaded only when it is needed (`import()`): the start of
// `--version` and `whoami` pays for neither NATS nor Iroh nor SQLite nor the keychain.
export default defineConfig({
  entry: { "kez-chat": "src/main.ts" },
  format: ["esm"],
  target: "node24",
  platform: "node",
  splitting: true,
  minify: true,
  dts: false,
  clean: true,
  metafile: true,
  // Packages with native parts are installed beside the program.
  external: ["better-sqlite3", "@napi-rs/keyring", "@number0/iroh", "@kez-chat/iroh-native"],
  noExternal: [/^(?!(?:better-sqlite3|@napi-rs\/keyring|@number0\/iroh|@kez-chat\/iroh-native)(?:$|\/)).*/],
  banner: {
    js: 'import { createRequire as kezCreateRequire } from "node:module";const require = kezCreateRequire(import.meta.url);'
  }
})
