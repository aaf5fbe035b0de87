/** Line icons of the page, drawn on a 24 by 24 grid. */

const PATHS = {
  back: ["M15 5l-7 7 7 7"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  more: ["M12 5.5v.01", "M12 12v.01", "M12 18.5v.01"],
  menu: ["M5 7h14", "M5 12h14", "M5 17h9"],
  attach: ["M20 11.5l-7.8 7.8a5 5 0 0 1-7.1-7.1l8.3-8.3a3.4 3.4 0 0 1 4.8 4.8l-8.1 8.1a1.7 1.7 0 0 1-2.4-2.4l7.2-7.2"],
  send: ["M12 19V5", "M6 11l6-6 6 6"],
  keyboard: ["M4 6.5h16v11H4z", "M7.5 10v.01", "M12 10v.01", "M16.5 10v.01", "M8.5 14h7"],
  down: ["M12 5v13", "M6 12.5l6 6 6-6"],
  photo: ["M4 5.5h16v13H4z", "M4 16l5-5 4 4 2.5-2.5L20 17", "M15.5 9v.01"],
  file: ["M7 3.5h7l4 4v13H7z", "M14 3.5v4h4"],
  download: ["M12 4v11", "M7.5 11l4.5 4.5 4.5-4.5", "M5 20h14"],
  phone: ["M6 4h4l1.5 4.5-2.3 1.7a11 11 0 0 0 4.6 4.6l1.7-2.3L20 14v4a2 2 0 0 1-2 2A14 14 0 0 1 4 6a2 2 0 0 1 2-2z"],
  settings: ["M5 7h8", "M17 7h2", "M5 17h2", "M11 17h8", "M15 5v4", "M9 15v4", "M5 12h14"],
  block: ["M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16z", "M6.5 6.5l11 11"],
  clock: ["M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16z", "M12 8v4.5l3 1.8"],
  sent: ["M5 12.5l4.5 4.5L19 7.5"],
  failed: ["M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16z", "M12 8v5", "M12 16v.01"],
  external: ["M8 16L17 7", "M10 7h7v7"],
  reply: ["M10 6l-5 5 5 5", "M5 11h8a6 6 0 0 1 6 6v1"],
  chat: ["M5 5h14v11H11l-4 3.5V16H5z"],
  offline: ["M4 4l16 16", "M5 12a10 10 0 0 1 5-2.7", "M19 12a10 10 0 0 0-4-2.4", "M8.5 15.5a5 5 0 0 1 5.5-.8", "M12 19v.01"],
  link: ["M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1", "M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1"],
  search: ["M11 5a6 6 0 1 1 0 12 6 6 0 0 1 0-12z", "M15.5 15.5L20 20"],
};
const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const shape of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}
