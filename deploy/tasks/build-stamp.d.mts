/** Whether the build is there and made from the sources as they are now. */
export function isBuilt(): boolean
