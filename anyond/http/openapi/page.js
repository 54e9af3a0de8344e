"use strict";
const search = document.getElementById("search");
const parts = [...document.querySelectorAll("details")];
const chapters = [...document.querySelectorAll("section")];
function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const part of parts) {
    const text = part.textContent.toLowerCase();
    part.hidden = !words.every((word) => text.includes(word));
  }
  for (const chapter of chapters) {
    chapter.hidden = !chapter.querySelector("details:not([hidden])");
  }
}
search.addEventListener("input", filter);
function show() {
  const part = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (part === null) return;
  if (part.hidden) {
    // A link leads out of what was searched for.
    search.value = "";
    filter();
  }
  if (part instanceof HTMLDetailsElement) part.open = true;
  part.scrollIntoView();
}
addEventListener("hashchange", show);
show();
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const out = form.querySelector("output");
    const query = new URLSearchParams();
    let path = form.dataset.path;
    for (const field of form.querySelectorAll("input")) {
      if (field.dataset.in === "path") {
        path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
      } else if (field.value) {
        query.set(field.name, field.value);
      }
    }
    const target = query.size ? `${path}?${query}` : path;
    const shown = document.createElement("pre");
    try {
      const answer = await fetch(target);
      const body = await answer.text();
      let text = body;
      try { text = JSON.stringify(JSON.parse(body), null, 2); } catch { /* it is no JSON */ }
      shown.textContent = `GET ${target}\n${answer.status} ${answer.statusText}\n\n${text}`;
    } catch (error) {
      shown.textContent = `GET ${target}\n${error}`;
    }
    out.replaceChildren(shown);
  });
}
