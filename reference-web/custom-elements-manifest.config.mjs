// What `cem analyze` writes to dist/custom-elements.json: the elements with what their users may set, hear and fill.
export default {
  globs: ["src/{elements,components}/**/*.ts"],
  exclude: ["src/**/*.{test,story}.ts"],
  outdir: "dist",
  litelement: true,
  packagejson: false,
  plugins: [
    {
      name: "kez-public",
      packageLinkPhase({ customElementsManifest: manifest }) {
        for (const module of manifest.modules) {
          module.declarations = (module.declarations ?? []).filter(({ tagName }) => tagName !== undefined)
          module.exports = (module.exports ?? []).filter(({ kind }) => kind === "custom-element-definition")
          for (const element of module.declarations) {
            element.members = (element.members ?? []).filter(
              ({ privacy, static: isStatic }) => privacy === undefined && isStatic !== true
            )
            // Undocumented events are not part of the interface.
            element.events = (element.events ?? []).filter(({ description }) => description !== undefined)
          }
        }
        manifest.modules = manifest.modules.filter(({ declarations }) => declarations.length > 0)
      }
    }
  ]
}
