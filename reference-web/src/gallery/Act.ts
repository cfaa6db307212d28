import { ref } from "lit/directives/ref.js"

/** In a story: does something with the element once it has rendered, such as opening what a click opens. */
export const act = (run: (element: HTMLElement) => void) =>
  ref((element) => {
    if (element instanceof HTMLElement) setTimeout(() => run(element), 20)
  })
