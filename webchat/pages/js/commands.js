/** The list of a bot's commands: opened by the menu button, narrowed while one types after a slash. */

import { button, h, show } from "./dom.js";
import { t } from "./strings.js";

export class CommandList {
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.commands = [];
    this.element = h("div", { class: "commands", role: "listbox", "aria-label": t("composer.commands"), hidden: true });
  }

  fill(commands) {
    this.commands = commands;
  }

  toggle() {
    if (this.element.hidden) {
      this.list(this.commands);
      this.element.firstElementChild?.focus();
    } else {
      this.close();
    }
  }

  suggest(text) {
    const typed = /^\/([A-Za-z0-9_]*)$/.exec(text)?.[1].toLowerCase();
    this.list(typed === undefined ? [] : this.commands.filter(({ command }) => command.startsWith(typed)));
  }

  list(commands) {
    this.element.replaceChildren(...commands.map((command) => this.row(command)));
    show(this.element, commands.length > 0);
  }

  row({ command, description }) {
    const choose = () => {
      this.close();
      this.onChoose(command);
    };
    const row = button([h("b", {}, `/${command}`), h("span", {}, description)], choose, { class: "command", role: "option" });
    row.addEventListener("keydown", (event) => this.steer(event) && event.stopPropagation());
    return row;
  }

  /** Move with the arrows, leave with Escape; true if the key was for us. */
  steer(event) {
    if (this.element.hidden || !["ArrowDown", "ArrowUp", "Escape"].includes(event.key)) {
      return false;
    }
    event.preventDefault();
    const rows = [...this.element.children];
    const input = this.element.parentElement.querySelector("textarea");
    if (event.key === "Escape") {
      this.close();
      input.focus();
      return true;
    }
    const at = rows.indexOf(document.activeElement);
    const next = event.key === "ArrowDown" ? at + 1 : at < 0 ? rows.length - 1 : at - 1;
    (rows[next] ?? input).focus();
    return true;
  }

  close() {
    show(this.element, false);
  }
}
