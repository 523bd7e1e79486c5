/* Keys of a page. Whatever has data-key="x" is pressed, or focused if it is a field, by the key x; in a list with
   data-list, j and k move between the elements with data-item, and the keys of the one that has the focus come first;
   after an element with data-next was pressed, the focus moves on. "?" shows the list of keys. Single keys can be switched off on a device (WCAG 2.1.4). */
"use strict";
(() => {
  const overlay = document.getElementById("keys");
  const hint = document.querySelector(".keys-hint");
  const toggle = document.getElementById("keys-on");
  const store = {
    get off() { try { return localStorage.getItem("keys") === "off"; } catch { return false; } },
    set off(value) { try { localStorage.setItem("keys", value ? "off" : "on"); } catch { /* private windows keep nothing */ } },
  };
  if (hint) hint.hidden = false;
  if (toggle) {
    toggle.checked = !store.off;
    toggle.addEventListener("change", () => { store.off = !toggle.checked; });
  }

  const isField = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  const isShown = (element) => element.getClientRects().length > 0;
  const item = () => document.activeElement && document.activeElement.closest("[data-item]");

  const find = (key) => {
    const wanted = `[data-key="${CSS.escape(key)}"]`;
    const own = item() && item().querySelector(wanted);
    return own || [...document.querySelectorAll(wanted)].find((element) => isShown(element) && !element.closest("[data-item]"));
  };

  const move = (step) => {
    const items = [...document.querySelectorAll("[data-list] [data-item]")];
    const at = items.indexOf(item());
    const next = items[at < 0 ? (step > 0 ? 0 : items.length - 1) : at + step];
    if (next) next.focus();
    return items.length > 0;
  };

  const press = (key) => {
    if (key === "?" && overlay) { if (overlay.open) overlay.close(); else overlay.showModal(); return true; }
    if (overlay && overlay.open) return false;
    if (store.off) return false;
    const found = find(key) || (key === "/" && document.querySelector("input[type=search]"));
    if (found) {
      if (isField(found)) found.focus(); else found.click();
      if (found.hasAttribute("data-next")) move(1);
      return true;
    }
    return (key === "j" && move(1)) || (key === "k" && move(-1));
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk".includes(event.key)) return;
    if (isField(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (press(event.key)) event.preventDefault();
  });
})();
