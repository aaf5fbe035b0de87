/** Turns a text and its Bot API entities into nodes; offsets count UTF-16 units, as JavaScript strings do. */

import { button, h } from "./dom.js";
import { t } from "./strings.js";

const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);
const WEB = new Set(["http:", "https:"]);

export function webAddress(value) {
  try {
    const url = new URL(value);
    return WEB.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** onCommand(text) is called when a bot command is tapped. */
export function formatted(text, entities = [], onCommand = () => {}) {
  const ordered = nested(entities.filter((entity) => entity.length > 0 && entity.offset >= 0));
  return span(text, ordered, 0, text.length, onCommand);
}

/** Outermost first; an entity that would stick out of its container is cut in two at the edge. */
function nested(entities) {
  const queue = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const result = [];
  const open = [];
  while (queue.length) {
    const entity = queue.shift();
    while (open.length && open.at(-1).offset + open.at(-1).length <= entity.offset) {
      open.pop();
    }
    const edge = open.length ? open.at(-1).offset + open.at(-1).length : Infinity;
    const overhang = entity.offset + entity.length - edge;
    if (overhang > 0) {
      queue.push({ ...entity, offset: edge, length: overhang });
      queue.sort((a, b) => a.offset - b.offset || b.length - a.length);
    }
    const inside = overhang > 0 ? { ...entity, length: entity.length - overhang } : entity;
    result.push(inside);
    open.push(inside);
  }
  return result;
}

function span(text, entities, from, to, onCommand) {
  const nodes = [];
  let position = from;
  let index = 0;
  while (index < entities.length) {
    const entity = entities[index];
    const end = Math.min(entity.offset + entity.length, to);
    let next = index + 1;
    while (next < entities.length && entities[next].offset < end) {
      next += 1;
    }
    if (entity.offset >= position && end > entity.offset) {
      nodes.push(text.slice(position, entity.offset));
      const inner = span(text, entities.slice(index + 1, next), entity.offset, end, onCommand);
      nodes.push(dressed(entity, text.slice(entity.offset, end), inner, onCommand));
      position = BLOCKS.has(entity.type) && text[end] === "\n" ? end + 1 : end;
    }
    index = next;
  }
  nodes.push(text.slice(position, to));
  return nodes.filter((node) => node !== "");
}

const PLAIN_TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", blockquote: "blockquote", expandable_blockquote: "blockquote" };

function dressed(entity, raw, inner, onCommand) {
  if (PLAIN_TAGS[entity.type]) {
    return h(PLAIN_TAGS[entity.type], {}, inner);
  }
  switch (entity.type) {
    case "pre":
      return h("pre", { tabindex: "0", "data-language": entity.language }, h("code", {}, inner));
    case "spoiler":
      return spoiler(inner);
    case "text_link":
      return link(entity.url, inner);
    case "url":
      return link(/^[a-z][a-z0-9+.-]*:/i.test(raw) ? raw : `https://${raw}`, inner);
    case "phone_number":
      return h("a", { href: `tel:${raw.replace(/[^\d+]/g, "")}` }, inner);
    case "bot_command":
      return button(inner, () => onCommand(raw), { class: "inline-command" });
    case "mention":
    case "hashtag":
      return h("span", { class: "mention" }, inner);
    default:
      return h("span", {}, inner);
  }
}

function link(address, inner) {
  const href = webAddress(address);
  if (!href) {
    return h("span", {}, inner);
  }
  return h("a", { href, title: href, target: "_blank", rel: "noopener noreferrer" }, inner);
}

function spoiler(inner) {
  const content = h("span", { class: "spoiler-content", "aria-hidden": "true" }, inner);
  const cover = h("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": t("message.spoiler") }, content);
  const reveal = (event) => {
    if (cover.classList.contains("revealed") || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) {
      return;
    }
    event.preventDefault();
    cover.classList.add("revealed");
    content.removeAttribute("aria-hidden");
    for (const name of ["role", "tabindex", "aria-label"]) {
      cover.removeAttribute(name);
    }
  };
  cover.addEventListener("click", reveal);
  cover.addEventListener("keydown", reveal);
  return cover;
}
