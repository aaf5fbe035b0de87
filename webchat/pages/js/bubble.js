/** Draws one message: quote, photo, document, contact, text, time and the buttons below it. */

import { fileUrl } from "./api.js";
import { button, h } from "./dom.js";
import { formatted, webAddress } from "./entities.js";
import { fullTime, size, time } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";

const TALLEST = 24;
const NARROWEST = 9;

/** acts: onCommand(text), onPress(message, data), onPhoto(message), onJump(id), onMenu(message, anchor). */
export function bubble(message, chat, acts) {
  const text = words(message);
  const entities = message.entities ?? message.caption_entities;
  const body = h(
    "div",
    { class: `bubble ${message.photo ? "with-photo" : ""} ${text ? "with-text" : ""}`, data: { id: message.message_id } },
    h("span", { class: "visually-hidden" }, message.outgoing ? t("chats.you") : `${chat.name}: `),
    message.reply_to_message && quote(message.reply_to_message, chat, acts),
    message.photo && photo(message, acts),
    message.document && documentCard(message.document),
    message.contact && contactCard(message.contact),
    h(
      "div",
      { class: "text" },
      text ? formatted(text, entities, acts.onCommand) : known(message) || h("em", {}, t("message.unsupported")),
      meta(message),
    ),
  );
  return h("div", { class: "stack" }, body, inlineKeyboard(message, chat, acts), actions(message, acts));
}

const known = (message) => (message.photo || message.document || message.contact ? [] : null);

/** The payload of a start may be an invitation's secret: it is not left standing on a screen. */
function words(message) {
  const text = message.text ?? message.caption;
  return message.outgoing && /^\/start [\w-]+$/.test(text) ? "/start" : text;
}

export function summary(message) {
  const text = words(message);
  if (message.photo) {
    return text ? `[${t("message.photo")}] ${text}` : `[${t("message.photo")}]`;
  }
  if (message.document) {
    return `[${t("message.document")}] ${text || message.document.file_name || ""}`;
  }
  if (message.contact) {
    return `[${t("message.contact")}]`;
  }
  return text ?? `[${t("message.unsupported")}]`;
}

/** A menu that turns its pages in place is no correction, so messages with buttons are not called edited. */
function meta(message) {
  return h(
    "span",
    { class: "meta" },
    message.edit_date && !message.reply_markup?.inline_keyboard && h("span", {}, t("message.edited")),
    h("time", { datetime: new Date(message.date * 1000).toISOString(), title: fullTime(message.date) }, time(message.date)),
    message.outgoing && h("span", { class: "tick", role: "img", "aria-label": t("message.sent") }, icon("sent")),
  );
}

function actions(message, acts) {
  const open = (event) => acts.onMenu(message, event.currentTarget);
  return button(icon("more"), open, { class: "message-menu", "aria-label": t("message.actions"), "aria-haspopup": "menu" });
}

function quote(replied, chat, acts) {
  const whose = replied.outgoing || !replied.from?.is_bot ? t("chats.you").replace(/[:：]\s*$/, "") : chat.name;
  return button([h("b", {}, whose), h("span", {}, summary(replied))], () => acts.onJump(replied.message_id), { class: "quote" });
}

function photo(message, acts) {
  const largest = message.photo.at(-1);
  const picture = h("img", {
    src: fileUrl(largest.file_id),
    width: largest.width,
    height: largest.height,
    alt: message.caption || t("message.photo"),
    loading: "lazy",
    decoding: "async",
  });
  picture.addEventListener("error", () => picture.closest("button")?.classList.add("broken"));
  const frame = button(picture, () => acts.onPhoto(message), { class: "photo", "aria-label": t("message.photo.open") });
  frame.style.width = `${frameWidth(largest)}rem`;
  return frame;
}

/** Known before the picture is there, so that nothing jumps when it arrives. */
function frameWidth({ width, height }) {
  return Math.max(NARROWEST, Math.min(width / 16, TALLEST * (width / height)));
}

function documentCard(file) {
  const name = file.file_name || t("message.document");
  return h(
    "a",
    { class: "document", href: fileUrl(file.file_id), download: name, "aria-label": t("message.download", { name }) },
    h("span", { class: "document-icon" }, icon("file"), h("small", {}, extension(name))),
    h("span", { class: "document-text" }, h("b", {}, name), h("small", {}, size(file.file_size))),
    icon("download"),
  );
}

function extension(name) {
  const match = /\.([A-Za-z0-9]{1,4})$/.exec(name);
  return match ? match[1].toUpperCase() : "";
}

function contactCard(contact) {
  const name = [contact.first_name, contact.last_name].filter(Boolean).join(" ");
  return h(
    "div",
    { class: "contact" },
    h("span", { class: "document-icon" }, icon("phone")),
    h("span", { class: "document-text" }, h("b", {}, name), h("small", {}, contact.phone_number)),
  );
}

function inlineKeyboard(message, chat, acts) {
  const rows = (message.reply_markup?.inline_keyboard ?? [])
    .map((row) => row.map((key) => inlineButton(key, message, chat, acts)).filter(Boolean))
    .filter((row) => row.length);
  return rows.length ? h("div", { class: "inline-keyboard" }, rows.map((row) => h("div", { class: "key-row" }, row))) : null;
}

function inlineButton(key, message, chat, acts) {
  if (key.callback_data !== undefined) {
    const busy = chat.pressing.has(`${message.message_id}:${key.callback_data}`);
    return button(h("span", {}, key.text), () => acts.onPress(message, key.callback_data), {
      class: `key ${busy ? "busy" : ""}`,
      "aria-busy": busy ? "true" : null,
      data: { press: key.callback_data },
    });
  }
  const href = key.url && webAddress(key.url);
  if (href) {
    return h(
      "a",
      { class: "key", href, target: "_blank", rel: "noopener noreferrer", "aria-label": t("keyboard.link", { text: key.text }), title: href },
      h("span", {}, key.text),
      icon("external"),
    );
  }
  return null;
}
