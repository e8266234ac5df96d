"use strict";
// A button at each block of code that copies it.

for (const block of document.querySelectorAll("pre")) {
  const text = block.textContent.trimEnd();
  const frame = document.createElement("div");
  const button = document.createElement("button");
  frame.className = "code";
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    button.textContent = (await copied(text)) ? "Copied" : "Select it and press Ctrl+C";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  block.tabIndex = 0; // a long line scrolls, with the keyboard too
  block.replaceWith(frame);
  frame.append(block, button);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text); // a page from http:// of another machine has no clipboard
  }
}

function copiedBySelection(text) {
  const field = document.createElement("textarea");
  const focused = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused.focus();
  return done;
}
