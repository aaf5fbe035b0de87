/** Draws what is on its way: a text or a file being sent, its progress, or that it failed and can be sent again. */

import { button, h } from "./dom.js";
import { size } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";

/** entry: {text?, file?, kind?, preview?, progress?, failed?, resend(), discard()}. */
export function pendingBubble(entry) {
  const body = h(
    "div",
    { class: `bubble ${entry.preview ? "with-photo" : ""}` },
    entry.preview && h("div", { class: "photo" }, h("img", { src: entry.preview, alt: t("message.photo") })),
    entry.file && !entry.preview && fileCard(entry.file),
    h("div", { class: "text" }, entry.text ?? entry.caption ?? "", state(entry)),
  );
  const row = h("li", { class: `row out pending ${entry.failed ? "failed" : ""}` }, h("div", { class: "stack" }, body, entry.failed && remedies(entry), entry.file && !entry.failed && progress(entry)));
  entry.row = row;
  return row;
}

function fileCard(file) {
  return h(
    "div",
    { class: "document" },
    h("span", { class: "document-icon" }, icon("file")),
    h("span", { class: "document-text" }, h("b", {}, file.name), h("small", {}, size(file.size))),
  );
}

function state(entry) {
  const key = entry.failed ? "failed" : "pending";
  const mark = icon(entry.failed ? "failed" : "clock");
  return h("span", { class: "meta" }, h("span", { class: "tick", role: "img", "aria-label": t(`message.${key}`) }, mark));
}

function remedies(entry) {
  return h(
    "div",
    { class: "remedies", role: "alert" },
    h("span", {}, entry.failed),
    button(t("message.discard"), entry.discard, { class: "button small" }),
    entry.resend && button(t("message.resend"), entry.resend, { class: "button small primary" }),
  );
}

function progress(entry) {
  const percent = Math.round((entry.progress ?? 0) * 100);
  return h(
    "div",
    { class: "progress" },
    h("progress", { max: 100, value: percent, "aria-label": t("upload.progress", { percent }) }),
    button(icon("close"), entry.discard, { class: "icon-button", "aria-label": t("cancel") }),
  );
}

export function updateProgress(entry, part) {
  entry.progress = part;
  const bar = entry.row?.querySelector("progress");
  if (bar) {
    bar.value = Math.round(part * 100);
    bar.setAttribute("aria-label", t("upload.progress", { percent: bar.value }));
  }
}
