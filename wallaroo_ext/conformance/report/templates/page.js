"use strict";
// The page is whole without this: it adds buttons that copy, a search of the failures, and opens everything for print.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const made = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const examples = all("details");

  const select = (element) => getSelection().selectAllChildren(element);
  for (const curl of all(".curl")) {
    const button = made("button", { type: "button", className: "copy", textContent: "Copy" });
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(curl.textContent);
        button.textContent = "Copied";
      } catch {
        select(curl);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    curl.before(button);
  }

  const cards = all(".failure");
  if (cards.length > 1) {
    const search = made("input", { type: "search", placeholder: "Show only failures with …" });
    search.setAttribute("aria-label", "Show only failures that contain this text");
    search.addEventListener("input", () => {
      const wanted = search.value.trim().toLowerCase();
      for (const card of cards) card.hidden = !card.textContent.toLowerCase().includes(wanted) && !card.parentElement.firstElementChild.textContent.toLowerCase().includes(wanted);
      for (const group of all(".operation")) group.hidden = !group.querySelector(".failure:not([hidden])");
    });
    const open = (text, value) => {
      const button = made("button", { type: "button", textContent: text });
      button.addEventListener("click", () => { for (const example of all(".exchange")) example.open = value; });
      return button;
    };
    const tools = made("div", { className: "tools" });
    tools.append(search, open("Open all", true), open("Close all", false));
    document.querySelector(".operation").before(tools);
  }

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = examples.filter((example) => !example.open);
    for (const example of closed) example.open = true;
  });
  addEventListener("afterprint", () => { for (const example of closed) example.open = false; });
})();
