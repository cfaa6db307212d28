// Loads the addon: the one that `npm run build:native` left here, or that of the package for this system. Throws where
// neither loads, with the code MODULE_NOT_FOUND where there is none; the SDK then uses @number0/iroh.
"use strict"

const system = `${process.platform}-${process.arch}`
// npm installs only the package that fits this system's C library; other package managers may install both.
const names = process.platform === "linux" ? [`${system}-gnu`, `${system}-musl`] : [system]
const places = ["./iroh-native.node", ...names.map((name) => `@kez-chat/iroh-native-${name}`)]

const load = () => {
  let broken
  for (const place of places) {
    try {
      return require(place)
    } catch (error) {
      // One that is here but does not load may be for the other C library; why it does not is worth knowing.
      if (error.code !== "MODULE_NOT_FOUND") broken ??= error
    }
  }
  if (broken !== undefined) throw broken
  const words = `@kez-chat/iroh-native has no build for ${system}: npm run build:native makes one in a checkout`
  throw Object.assign(new Error(words), { code: "MODULE_NOT_FOUND" })
}

module.exports = load()
