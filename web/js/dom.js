// Creates elements, and patches the page with a new tree so that focus, scroll position and typed text stay. No HTML
// text is ever parsed: data from the server can only become text.

const SVG = "http://www.w3.org/2000/svg";

/** Creates an element: `h("a", { href, class, onclick, vars: { "--share": 0.4 }, key }, "text", child, [children])`.
 *
 * `vars` are CSS variables; `key` identifies an element among its siblings. Children that are null or false are left
 * out. */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** Creates an SVG element, with the arguments of `h`. */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) {
      element[name] = value;
      (element.handlers ??= {})[name] = value;
    } else if (name === "vars") {
      for (const [variable, amount] of Object.entries(value)) element.style.setProperty(variable, amount);
    } else if (name === "key") {
      element.key = value;
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** Makes the children of `parent` equal to `nodes`, keeping every existing element that can stay. */
export function patch(parent, nodes) {
  const keyed = new Map(
    [...parent.childNodes].filter((node) => node.key !== undefined).map((node) => [node.key, node]),
  );
  let next = parent.firstChild;
  for (const node of nodes) {
    const existing = node.key === undefined ? (next?.key === undefined ? next : null) : keyed.get(node.key);
    if (existing && isSameElement(existing, node)) {
      if (existing !== next) parent.insertBefore(existing, next);
      else next = next.nextSibling;
      update(existing, node);
    } else {
      parent.insertBefore(node, next);
    }
  }
  while (next) {
    const following = next.nextSibling;
    next.remove();
    next = following;
  }
}

function isSameElement(old, node) {
  return old.nodeType === node.nodeType && old.nodeName === node.nodeName && old.key === node.key;
}

function update(old, node) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== node.data) old.data = node.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    // The user decides whether a details element is open.
    if (!node.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of [...node.attributes]) {
    if (name === "style") old.style.cssText = node.style.cssText;
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const name of Object.keys(old.handlers ?? {})) old[name] = null;
  for (const [name, handler] of Object.entries(node.handlers ?? {})) old[name] = handler;
  old.handlers = node.handlers;
  if (old.nodeName === "INPUT" && ["radio", "checkbox"].includes(old.type) && node.hasAttribute("data-set")) {
    old.checked = node.hasAttribute("checked");
  }
  // The children of an element with data-keep are drawn by a library, and stay.
  if (node.dataset?.keep === undefined) patch(old, [...node.childNodes]);
  if (old.nodeName === "SELECT" && node.dataset.value !== undefined) old.value = node.dataset.value;
}

// How long (ms) an announcement stays before one of a change by others may replace it, so that it can be read.
const READING_TIME = 5_000;
let announcedAt = 0;

/** Announces a message to screen readers. */
export function announce(message) {
  announcedAt = Date.now();
  const region = document.getElementById("announcement");
  // A change from empty is announced even if the message is the same as before.
  region.textContent = "";
  setTimeout(() => (region.textContent = message), 50);
}

/** Announces a change by others, unless something was announced moments ago: it would not be read to its end. */
export function announceChange(message) {
  if (Date.now() - announcedAt >= READING_TIME) announce(message);
}
