/** Builds elements from data: text is always a text node, never markup. */

const PROPERTIES = new Set(["value", "disabled", "checked", "hidden", "tabIndex", "scrollTop", "selected"]);

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    assign(element, name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function assign(element, name, value) {
  if (value === null || value === undefined || value === false) {
    return;
  }
  if (name === "on") {
    for (const [event, listener] of Object.entries(value)) {
      element.addEventListener(event, listener);
    }
  } else if (name === "data") {
    Object.assign(element.dataset, value);
  } else if (PROPERTIES.has(name)) {
    element[name] = value;
  } else {
    element.setAttribute(name, value === true ? "" : value);
  }
}

export function button(label, onClick, attributes = {}) {
  return h("button", { type: "button", ...attributes, on: { click: onClick } }, label);
}

export function show(element, visible) {
  element.hidden = !visible;
}

export function storage(key, value) {
  try {
    if (value === undefined) {
      return localStorage.getItem(key) ?? "";
    }
    if (value === "") {
      localStorage.removeItem(key);
    } else {
      localStorage.setItem(key, value);
    }
  } catch {
    // A browser that refuses storage still chats; it only forgets drafts and preferences.
  }
  return value ?? "";
}

export function prefersTouch() {
  return matchMedia("(pointer: coarse)").matches;
}

export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
