/** The sheet before files are sent: what they are, how large, and a caption. Several are an album. */

import { explain, modal, sheetHeader } from "./dialogs.js";
import { button, h } from "./dom.js";
import { size } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";

const LONGEST_CAPTION = 1024;
const LARGEST_ALBUM = 10;
const PICTURES = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

export function uploadLimit() {
  return Number(document.querySelector("meta[name=max-upload-bytes]")?.content) || Infinity;
}

/** Resolve to a list of {kind, file, caption, preview, album} when the reader sends, else to an empty one. */
export async function preparedUploads(wished, files) {
  const chosen = files.slice(0, LARGEST_ALBUM);
  const many = chosen.length > 1;
  const previews = wished === "photo" ? await Promise.all(chosen.map(pictureUrl)) : [];
  const kind = previews.length > 0 && previews.every(Boolean) ? "photo" : "document";
  const wrong = chosen.map(tooLargeOrEmpty).find(Boolean);
  const title = many ? t(`upload.${kind}s`, { count: chosen.length }) : t(`upload.${kind}`);
  const caption = h("textarea", { class: "input", rows: "2", maxlength: LONGEST_CAPTION, placeholder: t("upload.caption"), "aria-label": t("upload.caption") });
  const close = (value) => (event) => event.target.closest("dialog").close(value);
  const body = [
    sheetHeader(title),
    h(
      "div",
      { class: "sheet-body" },
      kind === "photo" && !wrong && h("div", { class: `upload-previews ${many ? "many" : ""}` }, ...previews.map((preview, place) => h("img", { class: "upload-preview", src: preview, alt: chosen[place].name }))),
      ...chosen.filter(() => !many || kind === "document").map((file) => fileCard(kind, file)),
      files.length > LARGEST_ALBUM && h("p", { class: "hint", role: "status" }, t("upload.most", { count: LARGEST_ALBUM })),
      wished !== kind && !wrong && h("p", { class: "hint", role: "status" }, t("upload.asfile")),
      wrong ? h("p", { class: "form-error", role: "alert" }, wrong) : caption,
      h("div", { class: "dialog-actions" }, button(t("cancel"), close(""), { class: "button" }), button(t("composer.send"), close("send"), { class: "button primary", disabled: Boolean(wrong) })),
    ),
  ];
  const { closed } = modal(body, { class: "dialog sheet", "aria-label": title });
  const sent = (await closed) === "send";
  if (!sent || kind !== "photo") {
    previews.forEach((preview) => URL.revokeObjectURL(preview ?? ""));
  }
  if (sent) {
    const album = many ? `${Date.now()}${Math.floor(Math.random() * 1000)}` : "";
    const words = (place) => (place === 0 ? caption.value.trim() : "");
    return chosen.map((file, place) => ({ kind, file, caption: words(place), preview: kind === "photo" ? previews[place] : null, album }));
  }
  return [];
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
export function acceptDrops(element, { isOpen, onFiles }) {
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
    const files = [...event.dataTransfer.files];
    if (files.length > 0 && isOpen()) {
      event.preventDefault();
      onFiles(kindOf(files), files);
    }
  });
}

export function kindOf(files) {
  return files.every((file) => file.type.startsWith("image/")) ? "photo" : "document";
}
