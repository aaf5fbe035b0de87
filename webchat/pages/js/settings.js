/** The settings sheet: name, phone, language, large print, signing out. */

import * as api from "./api.js";
import { ask, explain, modal, sheetHeader, toast } from "./dialogs.js";
import { button, h, show, storage } from "./dom.js";
import { language, t } from "./strings.js";

export function applyLargePrint() {
  document.documentElement.classList.toggle("large", storage("large-print") === "on");
}

/** acts: onChanged(me), onLanguage(code), onSignOut(). */
export function openSettings(me, acts) {
  const body = h(
    "div",
    { class: "sheet-body" },
    nameField(me, acts),
    phoneField(me, acts),
    h("div", { class: "setting" }, h("span", { class: "setting-label", id: "language-label" }, t("settings.language")), languageSwitch(acts.onLanguage)),
    largePrintSwitch(),
    button(t("settings.signout"), () => signOut(acts), { class: "button danger wide" }),
  );
  modal([sheetHeader(t("settings.title")), body], { class: "dialog sheet settings", "aria-label": t("settings.title") });
}

function field(label, input, hint, save) {
  const error = h("p", { class: "form-error", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    error.textContent = "";
    try {
      await save();
      toast(t("settings.saved"));
    } catch (failure) {
      error.textContent = explain(failure);
    }
  };
  return h(
    "form",
    { class: "setting-form", on: { submit } },
    h("label", { for: input.id }, label),
    h("div", { class: "field-row" }, input, h("button", { class: "button", type: "submit" }, t("settings.save"))),
    hint,
    error,
  );
}

function nameField(me, acts) {
  const input = h("input", { id: "setting-name", class: "input", value: me.name, maxlength: "64", required: true, autocomplete: "name" });
  return field(t("settings.name"), input, null, async () => acts.onChanged(await api.changeMe({ name: input.value.trim() })));
}

function phoneField(me, acts) {
  const input = h("input", { id: "setting-phone", class: "input", type: "tel", inputmode: "tel", autocomplete: "tel", maxlength: "20", required: true });
  const saved = h("span");
  const keep = async (phone) => {
    const changed = await api.changeMe({ phone });
    acts.onChanged(changed);
    input.value = "";
    word(changed.phone_masked);
  };
  const remove = button(t("settings.phone.remove"), () => keep("").catch((failure) => toast(explain(failure))), { class: "button small danger" });
  const word = (phone) => {
    saved.textContent = phone ? t("settings.phone.saved", { phone }) : t("settings.phone.none");
    show(remove, Boolean(phone));
  };
  word(me.phone_masked);
  const hint = h("div", { class: "setting" }, h("p", { class: "hint" }, saved, h("br"), t("settings.phone.hint")), remove);
  return field(t("settings.phone"), input, hint, () => keep(input.value.replace(/[\s-]/g, "")));
}

export function languageSwitch(onLanguage) {
  const options = ["zh", "en"].map((code) =>
    button(t(`settings.language.${code}`), () => code !== language() && onLanguage(code), {
      class: `segment ${code === language() ? "on" : ""}`,
      "aria-pressed": String(code === language()),
      lang: code,
    }),
  );
  return h("div", { class: "segments", role: "group", "aria-label": t("settings.language") }, options);
}

export function largePrintSwitch() {
  const input = h("input", { type: "checkbox", role: "switch", id: "large-print", checked: storage("large-print") === "on" });
  input.addEventListener("change", () => {
    storage("large-print", input.checked ? "on" : "");
    applyLargePrint();
  });
  const words = h("span", { class: "setting-label" }, t("settings.large"), h("small", {}, t("settings.large.hint")));
  return h("label", { class: "setting", for: "large-print" }, words, h("span", { class: "switch" }, input, h("i")));
}

async function signOut(acts) {
  const sure = await ask({ title: t("settings.signout.title"), text: t("settings.signout.text"), yes: t("settings.signout"), danger: true });
  if (sure) {
    document.querySelector("dialog.settings")?.close("");
    acts.onSignOut();
  }
}
