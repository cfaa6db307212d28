/** The script of the HTML report: filters by verdict and by text. */
export const script = `const rows = [...document.querySelectorAll(".row")];
const input = document.querySelector("input");
const none = document.querySelector(".none");
let filter = "all";
const show = () => {
  const wanted = input.value.trim().toLowerCase();
  let any = false;
  for (const row of rows) {
    const fits = (filter === "all" || row.dataset.verdict === filter) && row.textContent.toLowerCase().includes(wanted);
    row.hidden = !fits;
    any ||= fits;
  }
  none.hidden = any;
};
for (const button of document.querySelectorAll("[data-filter]"))
  button.addEventListener("click", () => {
    filter = button.dataset.filter;
    for (const other of document.querySelectorAll("[data-filter]")) other.setAttribute("aria-pressed", String(other === button));
    show();
  });
input.addEventListener("input", show);
`
