/** Words of the page in the reader's language. */

import zh from "./strings/zh.js";
import en from "./strings/en.js";

const CATALOGUES = { zh, en };
const TAGS = { zh: "zh-CN", en: "en-GB" };

export function language() {
  return document.documentElement.lang.startsWith("en") ? "en" : "zh";
}

export function locale() {
  return TAGS[language()];
}

export function useLanguage(code) {
  document.documentElement.lang = TAGS[code];
  document.cookie = `webchat_language=${code}; path=/; max-age=31536000; samesite=lax`;
}

export function t(key, values = {}) {
  return CATALOGUES[language()][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
