// Elements from plain calls, and a tree made anew laid over the one that stands, so that focus, scroll and what
// somebody is typing stay where they are. No HTML text anywhere: what the graph says can only ever be text.

const SVG = "http://www.w3.org/2000/svg";

/** An element: `h("a", { href, class, onclick, vars: { "--share": 0.4 }, key }, "text", child, [children], null)`. */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same in SVG. */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) {
      element[name] = value;
      (element.listening ??= {})[name] = value;
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

/** Makes the children of `parent` what `made` (nodes) are, keeping every element that can stay. */
export function lay(parent, made) {
  const keyed = new Map(
    [...parent.childNodes].filter((node) => node.key !== undefined).map((node) => [node.key, node]),
  );
  let place = parent.firstChild;
  for (const node of made) {
    const kept = node.key === undefined ? (place?.key === undefined ? place : null) : keyed.get(node.key);
    if (kept && alike(kept, node)) {
      if (kept !== place) parent.insertBefore(kept, place);
      else place = place.nextSibling;
      update(kept, node);
    } else {
      parent.insertBefore(node, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function alike(old, made) {
  return old.nodeType === made.nodeType && old.nodeName === made.nodeName && old.key === made.key;
}

function update(old, made) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== made.data) old.data = made.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    // Whether a fold is open, and what was typed, is the person's.
    if (!made.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of [...made.attributes]) {
    if (name === "style") old.style.cssText = made.style.cssText;
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const name of Object.keys(old.listening ?? {})) old[name] = null;
  for (const [name, handler] of Object.entries(made.listening ?? {})) old[name] = handler;
  old.listening = made.listening;
  if (old.nodeName === "INPUT" && ["radio", "checkbox"].includes(old.type) && made.hasAttribute("data-set")) {
    old.checked = made.hasAttribute("checked");
  }
  if (old.nodeName === "SELECT") {
    lay(old, [...made.childNodes]);
    if (made.dataset.value !== undefined) old.value = made.dataset.value;
    return;
  }
  lay(old, [...made.childNodes]);
}

/** Says a sentence to those who listen to the screen. */
export function say(sentence) {
  const place = document.getElementById("said");
  place.textContent = "";
  setTimeout(() => (place.textContent = sentence), 50);
}
