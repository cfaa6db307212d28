/** Settings, export, logging out. */
export const settings = {}
