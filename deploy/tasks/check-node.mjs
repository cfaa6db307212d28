// In old syntax on purpose: every Node must be able to run this file, to say which version is needed.
var version = process.versions.node.split(".").map(Number)
var major = version[0] || 0
var minor = version[1] || 0
// On Linux x64 the install brings Node 24, and the machine's own Node only has to run the install.
var bundled = process.platform === "linux" && process.arch === "x64"
var enough = major >= 24 || (bundled && (major > 20 || (major === 20 && minor >= 19)))

if (!enough) {
  process.stderr.write(
    "kez-chat needs Node " +
      (bundled ? "20.19" : "24") +
      " or newer here and this is " +
      process.versions.node +
      ": install a newer one (nodejs.org, or your version manager; .nvmrc names 24) and run the same command again.\n"
  )
  process.exit(1)
}
