/** The page's start: who is here, which address was asked for, and which screen that makes. */

import { address, chatAddress } from "./address.js";
import * as api from "./api.js";
import { actionButton, entryScreen, joinForm } from "./entry.js";
import { Inside } from "./inside.js";
import { button } from "./dom.js";
import { applyLargePrint } from "./settings.js";
import { language, t, useLanguage } from "./strings.js";

const root = document.getElementById("app");
const chosenBefore = /(?:^|; )webchat_language=/.test(document.cookie);
let inside = null;
let redraw = () => {};

function screen(kind, options = {}, ...extra) {
  inside?.close();
  inside = null;
  redraw = () => root.replaceChildren(entryScreen(kind, { ...options, onLanguage: changeLanguage }, ...extra.map((make) => make()).flat()));
  document.title = t("app.name");
  redraw();
}

function changeLanguage(code) {
  useLanguage(code);
  document.title = t("app.name");
  redraw();
  inside?.languageChanged();
}

async function open() {
  const { code, bot, payload } = address();
  if (code !== undefined) {
    screen("link", { symbol: "chat" }, () => actionButton(t("entry.link.button"), () => signIn(code)));
    return;
  }
  try {
    const me = await api.me();
    await enter(me, { bot, payload });
  } catch (error) {
    refused(error, { bot, payload });
  }
}

function refused(error, { bot, payload } = {}) {
  if (error.status === 401 && bot && payload) {
    screen("join", { values: { bot }, symbol: "chat" }, () => joinForm((name) => join(name, bot, payload)));
  } else if (error.status === 401) {
    screen("signin");
  } else {
    screen("failed", { symbol: "offline" }, () => button(t("retry"), open, { class: "button primary wide" }));
  }
}

async function signIn(code) {
  try {
    await arrive(await api.signIn(code));
  } catch (error) {
    if (error.status !== 410 && error.status !== 404) {
      throw error;
    }
    screen("expired", {}, () => button(t("entry.expired.button"), goHome, { class: "button wide" }));
  }
}

async function join(name, bot, start) {
  try {
    await arrive(await api.join({ name, bot, start, language: language() }));
  } catch (error) {
    if (error.status !== 404) {
      throw error;
    }
    unknownBot(bot);
  }
}

/** An invitation signs its person in and starts the bot in one go. */
async function arrive({ person, start }) {
  let me = person;
  if (chosenBefore && me.language !== language()) {
    me = await api.changeMe({ language: language() });
  } else if (me.language) {
    useLanguage(me.language);
  }
  history.replaceState(null, "", chatAddress(start?.bot));
  await enter(me, { bot: start?.bot ?? null, payload: start ? await startNow(start) : null });
}

/** The code is spent, so a start that fails must not fail the sign-in: its payload then waits behind the Start button. */
async function startNow({ bot, payload }) {
  try {
    await api.start(bot, payload);
    return null;
  } catch {
    return payload;
  }
}

async function enter(me, { bot, payload }) {
  const next = new Inside(root, me, { onLanguage: changeLanguage, onSignedOut: signedOut, onUnknownBot: unknownBot });
  await next.begin(bot, payload);
  redraw = () => next.draw();
  inside = next;
}

function unknownBot(bot) {
  screen("unknown", { values: { bot }, symbol: "search" }, () => button(t("back.home"), goHome, { class: "button wide" }));
}

function signedOut(byChoice) {
  history.replaceState(null, "", "/");
  screen(byChoice ? "left" : "signin");
}

function goHome() {
  history.replaceState(null, "", "/");
  open();
}

applyLargePrint();
document.title = t("app.name");
open();
