/** The gallery: every component in every state, `gallery.html#<element>` for one of them. Not part of the page. */
import { html, render } from "lit"
import "./gallery.css"
import { stories } from "./stories.ts"

const show = (): void => {
  const wanted = location.hash.slice(1)
  const shown = stories.filter(({ element }) => wanted === "" || element === wanted)
  render(
    html`
      <nav>${stories.map(({ element }) => html`<a href=${`#${element}`}>${element}</a>`)}</nav>
      ${shown.map(
        ({ element, height, states }) =>
          html`<section id=${element}>
            <h2>${element}</h2>
            <div class=${height === undefined ? "pieces" : "screens"}>
              ${Object.entries(states).map(
                ([name, state]) =>
                  html`<figure data-state=${name} class=${height === undefined ? "piece" : "screen"}>
                    <figcaption>${name}</figcaption>
                    <div class="stage">${state()}</div>
                  </figure>`
              )}
            </div>
          </section>`
      )}
    `,
    document.body
  )
}

addEventListener("hashchange", show)
show()
