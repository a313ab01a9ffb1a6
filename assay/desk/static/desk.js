"use strict";
// One key, one request: a key clicks the button that bears it; the answer is the next page's main part.
(() => {
  const main = document.getElementById("main");
  let saving = false, shownAt = performance.now(), marks = [];

  const reveal = () => { for (const box of main.querySelectorAll("[data-all]")) box.hidden = false; };
  const shown = () => {
    shownAt = performance.now();
    marks = [];
    main.focus({ preventScroll: true });
    reveal();
    document.dispatchEvent(new CustomEvent("assay:shown"));
  };
  const say = (text) => {
    const place = document.getElementById("said");
    if (place) { place.textContent = text; place.className = "fault"; }
  };

  async function swap(address, options) {
    if (saving) return;
    saving = true;
    main.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { ...options, headers: { "X-Assay-Fragment": "1" }, redirect: "follow" });
      const text = await answer.text(), place = answer.headers.get("X-Assay-Place");
      if (!place) { answer.redirected ? location.assign("/") : say(text.slice(0, 300)); return; }
      main.innerHTML = text;
      if (place !== location.pathname + location.search) history.pushState(null, "", place);
      shown();
    } catch (error) {
      say("The desk does not answer: what you said is not kept. Try again.");
    } finally {
      saving = false;
      main.removeAttribute("aria-busy");
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (!form.matches("[data-swap]")) return;
    event.preventDefault();
    const data = new URLSearchParams(new FormData(form, button));
    if (form.matches("[data-timed]")) data.set("seconds", ((performance.now() - shownAt) / 1000).toFixed(2));
    if (button && button.dataset.reason) data.set("reason", button.dataset.reason);
    if (button && button.dataset.reason === "other" && !data.get("note").trim()) {
      say("Say why in the note, then reject.");
      form.querySelector("[data-focus]").focus();
      return;
    }
    swap(form.getAttribute("action"), { method: "POST", body: data });
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    swap(link.getAttribute("href"), {});
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-all]")) return;
    for (const box of event.target.form.querySelectorAll('tbody input[type="checkbox"]')) box.checked = event.target.checked;
  });

  reveal();
  addEventListener("popstate", () => swap(location.pathname + location.search, {}));

  function mark() {
    const answer = document.getElementById("answer"), chosen = getSelection();
    if (!answer || !chosen.rangeCount || chosen.isCollapsed) return;
    const range = chosen.getRangeAt(0);
    if (!answer.contains(range.startContainer) || !answer.contains(range.endContainer)) return;
    const before = document.createRange();
    before.setStart(answer, 0);
    before.setEnd(range.startContainer, range.startOffset);
    const start = [...before.toString()].length;
    marks.push([start, start + [...range.toString()].length]);
    document.querySelector("[name=spans]").value = JSON.stringify(marks);
    document.getElementById("marked").textContent = `${marks.length} marked, last: ${range.toString().slice(0, 80)}`;
  }

  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, textarea, select")) {
      if (event.key === "Escape") main.focus();
      return;
    }
    if (saving) { event.preventDefault(); return; }
    if (event.key === "?") { const keys = document.getElementById("keys"); keys.hidden = !keys.hidden; return; }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "m") { mark(); return; }
    const number = main.querySelector("[data-number]");
    if (number && /^[0-9-]$/.test(key)) { number.focus(); return; } // the digit lands in the field
    const field = main.querySelector(`[data-focus="${CSS.escape(key)}"]`);
    if (field) { event.preventDefault(); field.focus(); return; }
    const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (button) { event.preventDefault(); button.click(); }
  });
})();
