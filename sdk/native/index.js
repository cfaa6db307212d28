// Loads the addon: the one that `npm run build:native` left here, or that of the package for this system. Throws where
// there is neither; the SDK then uses @number0/iroh.
"use strict"

const system = `${process.platform}-${process.arch}`
// npm installs only the package that fits this system's C library.
const names = process.platform === "linux" ? [`${system}-gnu`, `${system}-musl`] : [system]
const places = ["./iroh-native.node", ...names.map((name) => `@kez-chat/iroh-native-${name}`)]

const load = () => {
  for (const place of places) {
    try {
      return require(place)
    } catch (error) {
      // An addon that is here but does not load is worth knowing.
      if (error.code !== "MODULE_NOT_FOUND") throw error
    }
  }
  throw new Error(`@kez-chat/iroh-native has no build for ${system}: npm run build:native makes one in a checkout`)
}

module.exports = load()
