/** A photo over the whole window, with its caption and a way to keep it. */

import { fileUrl } from "./api.js";
import { modal } from "./dialogs.js";
import { button, h } from "./dom.js";
import { formatted } from "./entities.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";

export function openPhoto(message) {
  const url = fileUrl(message.photo.at(-1).file_id);
  const name = `${t("message.photo")}-${message.message_id}.jpg`;
  const close = (event) => event.target.closest("dialog").close("");
  const tools = h(
    "div",
    { class: "lightbox-tools" },
    h("a", { class: "icon-button", href: url, download: name, "aria-label": t("message.download", { name }) }, icon("download")),
    button(icon("close"), close, { class: "icon-button", "aria-label": t("close"), autofocus: true }),
  );
  const picture = h("img", { src: url, alt: message.caption || t("message.photo") });
  const stage = h("div", { class: "lightbox-stage", on: { click: (event) => event.target === stage && close(event) } }, picture);
  const words = message.caption && h("p", { class: "lightbox-caption" }, formatted(message.caption, message.caption_entities));
  modal([tools, stage, words].filter(Boolean), { class: "lightbox", "aria-label": t("message.photo") });
}
