// Forms with a file: choosing it or taking a photo, its upload, and the texts that go with it.

import { field, form, icon, textArea } from "./components.js";
import { h } from "./dom.js";
import { fileSize } from "./format.js";
import { mutate, OfflineError } from "./graphql.js";
import { withToken } from "./session.js";

const OFFLINE = "There is no connection, so nothing was sent. Your text stays here: try again when you are online.";
const initialState = () => ({ file: null, uploaded: null, busy: false, error: null, invalid: null });

/** One form. `uploaded`: the id of the file once it has arrived; `invalid`: the name of the field that the error is
 * about, or null. */
export class FileForm {
  state = initialState();

  reset() {
    this.state = initialState();
  }

  /** Returns the form.
   *
   * `texts`: [name, label, hint, {line}] of each text input, all required; `send(fileId, values)` returns the
   * errors of the mutation; `check(values)`: [field, message] or null; `onSent()`; `extra(errorOf)`: further fields. */
  form(app, { id, submitLabel, texts, send, onSent, check = () => null, extra = () => null }) {
    const { state } = this;
    const errorOf = (name) => (state.invalid === name ? state.error : null);
    const known = ["file", ...texts.map(([name]) => name)];
    return form(
      {
        key: id,
        submitLabel,
        busyLabel: "Sending…",
        busy: state.busy,
        error: known.includes(state.invalid) || state.invalid === "password" ? null : state.error,
        onSubmit: (values, element) => this.submit(app, values, element, { texts, send, onSent, check }),
      },
      this.chooser(app, id, errorOf("file")),
      texts.map(([name, label, hint, { line = false } = {}]) => {
        const error = errorOf(name);
        const props = { id: name, hint, maxlength: line ? 200 : null, "aria-invalid": error ? "true" : null };
        return line
          ? field(label, { ...props, error })
          : h(
              "div",
              {},
              textArea(label, { ...props, required: true }),
              error && h("p", { class: "error", role: "alert" }, error),
            );
      }),
      extra(errorOf),
    );
  }

  chooser(app, id, error) {
    const choose = ({ target }) => {
      const [file] = target.files;
      if (file) Object.assign(this.state, { file, uploaded: null, error: null, invalid: null });
      app.draw();
    };
    const button = (name, label, iconName, props) =>
      h(
        "label",
        { class: "button file-button", key: name },
        h("input", { type: "file", id: `${id}-${name}`, ...props, onchange: choose }),
        icon(iconName),
        label,
      );
    const { file } = this.state;
    return h(
      "fieldset",
      { class: "field", "aria-describedby": error ? `${id}-error` : null },
      h("legend", {}, "The file"),
      h(
        "div",
        { class: "file-buttons" },
        button("file", "Choose a file", "upload", {}),
        button("camera", "Take a photo", "camera", { accept: "image/*", capture: "environment" }),
      ),
      h("p", { class: "note", role: "status" }, file ? `${file.name}, ${fileSize(file.size)}` : "No file chosen yet."),
      error && h("p", { class: "error", id: `${id}-error`, role: "alert" }, error),
    );
  }

  async submit(app, values, element, { texts, send, onSent, check }) {
    const { state } = this;
    const showError = (error, invalid = null) => {
      Object.assign(state, { busy: false, error, invalid });
      app.draw();
      if (invalid) (element.elements[invalid] ?? element.querySelector("input[type=file]"))?.focus();
    };
    if (!state.file) return showError("Please choose a file, or take a photo.", "file");
    const empty = texts.find(([name]) => !values[name].trim());
    if (empty) return showError(`Please fill in “${empty[1]}”.`, empty[0]);
    const wrong = check(values);
    if (wrong) return showError(wrong[1], wrong[0]);
    Object.assign(state, { busy: true, error: null, invalid: null });
    app.draw();
    try {
      // A file that has arrived is not sent again after a wrong password.
      state.uploaded ??= await upload(state.file);
      const errors = await send(state.uploaded, values);
      if (errors.length > 0) return showError(errors[0].message, errors[0].field?.at(-1) ?? null);
    } catch (error) {
      return showError(error instanceof OfflineError ? OFFLINE : error.message);
    }
    state.busy = false;
    onSent();
  }
}

/** Uploads a file and returns its id. */
async function upload(file) {
  const input = { name: file.name, contentType: file.type || "application/octet-stream", size: file.size };
  const { fileUploadCreate } = await withToken((token) => mutate("file_upload_create", { input }, token));
  if (fileUploadCreate.errors.length > 0) throw new Error(fileUploadCreate.errors[0].message);
  const { fileId, url, headers } = fileUploadCreate.upload;
  const { pathname, search } = new URL(url);
  const response = await fetch(pathname + search, {
    method: "PUT",
    headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
    body: file,
  }).catch(() => {
    throw new OfflineError();
  });
  if (!response.ok)
    throw new Error((await response.json().catch(() => ({}))).error ?? "The file could not be sent. Please try again.");
  return fileId;
}
