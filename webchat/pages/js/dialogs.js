/** What lies over the page: toasts, questions, alerts, and small menus. */

import { button, h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";

const TOAST_TIME = 4500;

export function toast(text) {
  const item = h("div", { class: "toast" }, text);
  const area = document.getElementById("toasts");
  area.replaceChildren(...[...area.children].slice(-2), item);
  if (area.showPopover) {
    // Shown anew, it stands above a dialog that may be open.
    area.hidePopover();
    area.showPopover();
  }
  setTimeout(() => item.remove(), TOAST_TIME + text.length * 30);
}

export function explain(error) {
  const known = ["too_large", "too_many_sign_ups", "bad_phone", "bad_name", "not_a_picture", "empty_file", "unreachable"];
  return t(known.includes(error.code) ? `error.${error.code}` : "error.other");
}

/** A modal dialog; resolves when it closes, with the value it was closed with. */
export function modal(content, attributes = {}) {
  const dialog = h("dialog", { class: "dialog", ...attributes }, content);
  document.body.append(dialog);
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close(""));
  dialog.showModal();
  return { dialog, closed };
}

export async function ask({ title, text, yes, danger = false }) {
  const actions = h(
    "div",
    { class: "dialog-actions" },
    button(t("cancel"), (event) => event.target.closest("dialog").close(""), { class: "button" }),
    button(yes, (event) => event.target.closest("dialog").close("yes"), { class: `button ${danger ? "danger" : "primary"}` }),
  );
  const body = h("div", { class: "dialog-body" }, h("h2", { id: "ask-title" }, title), h("p", {}, text), actions);
  const { closed } = modal(body, { role: "alertdialog", "aria-labelledby": "ask-title" });
  return (await closed) === "yes";
}

export async function alertBox(text, link = null) {
  const actions = h(
    "div",
    { class: "dialog-actions" },
    button(t("understood"), (event) => event.target.closest("dialog").close(""), { class: "button primary", autofocus: true }),
  );
  const body = h("div", { class: "dialog-body" }, h("p", { class: "alert-text", id: "alert-text" }, text), link, actions);
  await modal(body, { role: "alertdialog", "aria-labelledby": "alert-text" }).closed;
}

export function sheetHeader(title) {
  return h(
    "header",
    { class: "sheet-header" },
    h("h2", {}, title),
    button(icon("close"), (event) => event.target.closest("dialog").close(""), { class: "icon-button", "aria-label": t("close") }),
  );
}

/** A menu beside its button; items are {icon, label, act, danger}. */
export function popMenu(anchor, items, label) {
  const list = h("div", { class: "menu", role: "menu", "aria-label": label });
  const close = (refocus = true) => {
    list.remove();
    document.removeEventListener("pointerdown", outside, true);
    anchor.setAttribute("aria-expanded", "false");
    if (refocus) {
      anchor.focus();
    }
  };
  const outside = (event) => !list.contains(event.target) && !anchor.contains(event.target) && close(false);
  for (const item of items) {
    const act = () => {
      close();
      item.act();
    };
    list.append(button([item.icon && icon(item.icon), h("span", {}, item.label)].filter(Boolean), act, { class: `menu-item ${item.danger ? "danger" : ""}`, role: "menuitem" }));
  }
  list.addEventListener("keydown", (event) => steer(event, list, close));
  document.body.append(list);
  place(list, anchor.getBoundingClientRect());
  document.addEventListener("pointerdown", outside, true);
  anchor.setAttribute("aria-expanded", "true");
  list.firstElementChild.focus();
}

function place(list, anchor) {
  const { width, height } = list.getBoundingClientRect();
  const left = Math.min(Math.max(8, anchor.right - width), innerWidth - width - 8);
  const below = anchor.bottom + 6;
  list.style.left = `${left}px`;
  list.style.top = `${below + height < innerHeight - 8 ? below : Math.max(8, anchor.top - height - 6)}px`;
}

function steer(event, list, close) {
  const items = [...list.children];
  const at = items.indexOf(document.activeElement);
  const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (target !== undefined) {
    event.preventDefault();
    items[(target + items.length) % items.length].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    close();
  }
}
