// The reader: fetches a file, computes its SHA-256 and shows it in the page, PDFs with pdf.js and pictures as previews.

import { icon, notice } from "./components.js";
import { announce, h } from "./dom.js";
import { count, fileSize } from "./format.js";
import { OfflineError } from "./graphql.js";

// The most device pixels for each CSS pixel: more needs memory that phones do not have.
const MAX_DENSITY = 2;
const ZOOMS = [1, 1.5, 2, 3];
// `content`: {address, sha256, bytes} of what was opened; `pages`: how many the PDF has.
const initialState = () => ({ content: null, opening: false, error: null, pages: 0, zoom: 0, hasText: true });

/** One reader of a screen, which closes it whenever the screen is entered. */
export class Reader {
  state = initialState();

  close() {
    if (this.state.content) URL.revokeObjectURL(this.state.content.address);
    this.state = initialState();
  }

  /** The SHA-256 of the opened file, or null. */
  get sha256() {
    return this.state.content?.sha256 ?? null;
  }

  /** Returns the button that opens the file, then the file itself. `read()` returns the file with a new link. */
  show(app, file, read) {
    const { content, opening, error } = this.state;
    return h(
      "div",
      { class: "opening" },
      !content &&
        h(
          "button",
          {
            type: "button",
            class: "button",
            onclick: () => this.open(app, read),
            "aria-disabled": opening ? "true" : null,
            key: "open",
          },
          icon("file"),
          opening ? "Opening…" : "Open the document",
        ),
      error && h("p", { class: "error", role: "alert" }, error),
      content && !error && this.page(app, file),
      h("p", { class: "note" }, `${file.name}, ${fileSize(file.size)}`),
      content &&
        h(
          "a",
          { class: "button quiet", href: content.address, download: file.name, key: "save" },
          icon("download"),
          "Save a copy",
        ),
    );
  }

  page(app, file) {
    const { pages, zoom } = this.state;
    if (isPicture(file) && file.preview)
      return h("img", { class: "picture", src: ownAddress(file.preview.url), alt: file.name, key: "picture" });
    if (!isPdf(file))
      return notice("plain", h("p", {}, "This kind of file cannot be shown here. Save a copy and open that."));
    const step = (change) => () => {
      this.state.zoom = Math.min(ZOOMS.length - 1, Math.max(0, zoom + change));
      this.draw(app);
    };
    return h(
      "div",
      { class: "reader", key: "reader" },
      h(
        "div",
        { class: "reader-bar" },
        h("span", {}, pages ? count(pages, "page") : "Reading…"),
        h("button", { type: "button", onclick: step(-1), "aria-disabled": zoom === 0 ? "true" : null }, "Smaller"),
        h(
          "button",
          { type: "button", onclick: step(1), "aria-disabled": zoom === ZOOMS.length - 1 ? "true" : null },
          "Larger",
        ),
      ),
      h("div", {
        class: "reader-pages",
        tabindex: "0",
        role: "region",
        "aria-label": "The document",
        "data-keep": true,
        vars: { "--zoom": ZOOMS[zoom] },
      }),
    );
  }

  async open(app, read) {
    if (this.state.opening) return;
    // The user may leave the screen, which replaces `state`, while the document is loading.
    const state = this.state;
    Object.assign(state, { opening: true, error: null });
    app.draw();
    try {
      const content = await fetched(await read());
      if (state !== this.state) return URL.revokeObjectURL(content.address);
      state.content = content;
      announce("The document has been opened.");
    } catch (error) {
      state.error = error.message;
    }
    state.opening = false;
    app.draw();
    if (state !== this.state || !state.content) return;
    // The focused button was replaced by the document: the focus moves there.
    if (document.activeElement === document.body)
      document.querySelector(".reader-pages, .opening a, .opening .picture")?.focus();
    await this.draw(app);
  }

  /** Draws the pages of the PDF into their region of the screen. */
  async draw(app) {
    const state = this.state;
    app.draw();
    const place = document.querySelector(".reader-pages");
    if (!place) return;
    try {
      await drawPdf(place, state.content.bytes, ZOOMS[state.zoom], (pages) => (state.pages = pages));
    } catch {
      state.error = "This document cannot be shown here. Save a copy and open that.";
    }
    if (state === this.state) app.draw();
  }
}

const isPdf = ({ contentType }) => contentType === "application/pdf";
const isPicture = ({ contentType }) => contentType.startsWith("image/");

// The page's own origin is used, because the server may be configured with another host name.
function ownAddress(address) {
  const { pathname, search } = new URL(address);
  return pathname + search;
}

async function fetched({ download, contentType, sha256: expected }) {
  const offline = () => {
    throw new OfflineError();
  };
  const response = await fetch(ownAddress(download.url), { cache: "no-store" }).catch(offline);
  if (!response.ok)
    throw new Error(
      (await response.json().catch(() => ({}))).error ?? "The document could not be opened. Please try again.",
    );
  const bytes = await response.arrayBuffer().catch(offline);
  const sha256 = await digest(bytes, expected);
  return { bytes, sha256, address: URL.createObjectURL(new Blob([bytes], { type: contentType })) };
}

/** Returns the SHA-256 of the bytes, or `expected` where the browser cannot calculate it. */
async function digest(bytes, expected) {
  // Browsers provide crypto.subtle in a secure context only.
  if (!crypto.subtle) return expected;
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function drawPdf(place, bytes, zoom, onPages) {
  const pdfjs = await import("../vendor/pdfjs/pdf.min.mjs");
  pdfjs.GlobalWorkerOptions.workerSrc = new URL("../vendor/pdfjs/pdf.worker.min.mjs", import.meta.url).href;
  // A copy, because pdf.js takes ownership of the bytes. The page's Content-Security-Policy forbids WebAssembly.
  const task = pdfjs.getDocument({ data: bytes.slice(0), useWasm: false, verbosity: 0 });
  const pdf = await task.promise;
  onPages(pdf.numPages);
  const width = place.clientWidth * zoom;
  const pages = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pdf.getPage(number);
    const scale = width / page.getViewport({ scale: 1 }).width;
    const viewport = page.getViewport({ scale: scale * Math.min(devicePixelRatio || 1, MAX_DENSITY) });
    const canvas = h("canvas", {
      width: Math.floor(viewport.width),
      height: Math.floor(viewport.height),
      "aria-hidden": "true",
    });
    await page.render({ canvasContext: canvas.getContext("2d"), canvas, viewport }).promise;
    const { items } = await page.getTextContent();
    const text = items.map(({ str, hasEOL }) => str + (hasEOL ? "\n" : "")).join("");
    // Screen readers read the page's text in place of its picture.
    pages.push(
      h(
        "section",
        { "aria-label": `Page ${number} of ${pdf.numPages}` },
        canvas,
        h("p", { class: "visually-hidden" }, text || "This page is a picture without text."),
      ),
    );
  }
  place.replaceChildren(...pages);
  await task.destroy();
}
