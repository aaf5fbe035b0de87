/** The sheet before a file is sent: what it is, how large, and a caption. */

import { explain, modal, sheetHeader } from "./dialogs.js";
import { button, h } from "./dom.js";
import { size } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";

const LONGEST_CAPTION = 1024;

export function uploadLimit() {
  return Number(document.querySelector("meta[name=max-upload-bytes]")?.content) || Infinity;
}

/** Resolve to {kind, file, caption, preview} when the reader sends, else to null. */
export async function preparedUpload(kind, file) {
  const preview = kind === "photo" && file.type.startsWith("image/") ? URL.createObjectURL(file) : null;
  const wrong = problem(kind, file);
  const caption = h("textarea", { class: "input", rows: "2", maxlength: LONGEST_CAPTION, placeholder: t("upload.caption"), "aria-label": t("upload.caption") });
  const send = button(t("composer.send"), (event) => event.target.closest("dialog").close("send"), { class: "button primary", disabled: Boolean(wrong) });
  const body = [
    sheetHeader(t(`upload.${kind}`)),
    h(
      "div",
      { class: "sheet-body" },
      preview && !wrong ? h("img", { class: "upload-preview", src: preview, alt: file.name }) : null,
      h("div", { class: "document upload-file" }, h("span", { class: "document-icon" }, icon(kind === "photo" ? "photo" : "file")), h("span", { class: "document-text" }, h("b", {}, file.name), h("small", {}, size(file.size)))),
      wrong ? h("p", { class: "form-error", role: "alert" }, wrong) : caption,
      h("div", { class: "dialog-actions" }, button(t("cancel"), (event) => event.target.closest("dialog").close(""), { class: "button" }), send),
    ),
  ];
  const { closed } = modal(body, { class: "dialog sheet", "aria-label": t(`upload.${kind}`) });
  if ((await closed) === "send") {
    return { kind, file, caption: caption.value.trim(), preview };
  }
  URL.revokeObjectURL(preview ?? "");
  return null;
}

function problem(kind, file) {
  const limit = uploadLimit();
  if (file.size > limit) {
    return t("error.too_large.limit", { limit: size(limit), size: size(file.size) });
  }
  if (file.size === 0) {
    return explain({ code: "empty_file" });
  }
  if (kind === "photo" && !file.type.startsWith("image/")) {
    return explain({ code: "not_a_picture" });
  }
  return null;
}

/** Let files be dropped on an element while isOpen(); pictures become photos. */
export function acceptDrops(element, { isOpen, onFile }) {
  element.dataset.drop = t("upload.drop");
  element.addEventListener("dragover", (event) => {
    if (isOpen() && [...event.dataTransfer.types].includes("Files")) {
      event.preventDefault();
      element.classList.add("dropping");
    }
  });
  element.addEventListener("dragleave", (event) => element.contains(event.relatedTarget) || element.classList.remove("dropping"));
  element.addEventListener("drop", (event) => {
    element.classList.remove("dropping");
    const file = event.dataTransfer.files[0];
    if (file && isOpen()) {
      event.preventDefault();
      onFile(kindOf(file), file);
    }
  });
}

export function kindOf(file) {
  return file.type.startsWith("image/") ? "photo" : "document";
}
