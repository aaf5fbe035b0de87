/** The sheet before a file is sent: what it is, how large, and a caption. */

import { explain, modal, sheetHeader } from "./dialogs.js";
import { button, h } from "./dom.js";
import { size } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";

const LONGEST_CAPTION = 1024;
const PICTURES = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

export function uploadLimit() {
  return Number(document.querySelector("meta[name=max-upload-bytes]")?.content) || Infinity;
}

/** Resolve to {kind, file, caption, preview} when the reader sends, else to null. */
export async function preparedUpload(wished, file) {
  const preview = wished === "photo" ? await pictureUrl(file) : null;
  const kind = preview ? "photo" : "document";
  const wrong = tooLargeOrEmpty(file);
  const caption = h("textarea", { class: "input", rows: "2", maxlength: LONGEST_CAPTION, placeholder: t("upload.caption"), "aria-label": t("upload.caption") });
  const close = (value) => (event) => event.target.closest("dialog").close(value);
  const body = [
    sheetHeader(t(`upload.${kind}`)),
    h(
      "div",
      { class: "sheet-body" },
      preview && !wrong && h("img", { class: "upload-preview", src: preview, alt: file.name }),
      fileCard(kind, file),
      wished !== kind && !wrong && h("p", { class: "hint", role: "status" }, t("upload.asfile")),
      wrong ? h("p", { class: "form-error", role: "alert" }, wrong) : caption,
      h("div", { class: "dialog-actions" }, button(t("cancel"), close(""), { class: "button" }), button(t("composer.send"), close("send"), { class: "button primary", disabled: Boolean(wrong) })),
    ),
  ];
  const { closed } = modal(body, { class: "dialog sheet", "aria-label": t(`upload.${kind}`) });
  if ((await closed) === "send") {
    return { kind, file, caption: caption.value.trim(), preview };
  }
  URL.revokeObjectURL(preview ?? "");
  return null;
}

function fileCard(kind, file) {
  const symbol = h("span", { class: "document-icon" }, icon(kind === "photo" ? "photo" : "file"));
  return h("div", { class: "document upload-file" }, symbol, h("span", { class: "document-text" }, h("b", {}, file.name), h("small", {}, size(file.size))));
}

/** An address of the picture in this page, or null for what browsers cannot show; that goes as a file. */
async function pictureUrl(file) {
  if (!PICTURES.has(file.type)) {
    return null;
  }
  const url = URL.createObjectURL(file);
  try {
    await h("img", { src: url }).decode();
    return url;
  } catch {
    URL.revokeObjectURL(url);
    return null;
  }
}

function tooLargeOrEmpty(file) {
  const limit = uploadLimit();
  if (file.size > limit) {
    return t("error.too_large.limit", { limit: size(limit), size: size(file.size) });
  }
  return file.size === 0 ? explain({ code: "empty_file" }) : null;
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
