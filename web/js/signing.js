// The form that signs: a checkbox, the password, and the messages beside them.

import { form, icon, notice } from "./components.js";
import { h } from "./dom.js";
import { OfflineError } from "./graphql.js";
import { confirmationField, hasPassword } from "./views/confirmation.js";

const initialState = () => ({ ticked: false, busy: false, error: null, errorField: null });
const OFFLINE = "There is no connection, so nothing was signed. Please try again when you are online.";

/** One signature. `errorField`: "password", "tick", or null for a message beside the button. */
export class Signing {
  state = initialState();

  reset(error = null) {
    this.state = { ...initialState(), error };
  }

  /** Returns the form.
   *
   * `tick`: the label of the checkbox, or null where the screen has one elsewhere; `mustRead()`: the element to
   * focus if nothing has been read, or null, and `unread`: the message then; `send(password)`: returns the errors of
   * the mutation; `onSigned()`; `onRefused(errors)`: called when the record has changed; the message that it returns
   * replaces that of the first error. */
  form(app, { tick, submitLabel, onSigned, ...steps }) {
    const { state } = this;
    const errorOf = (name) => (state.errorField === name ? state.error : null);
    const tickError = errorOf("tick");
    return form(
      {
        submitLabel,
        busyLabel: "Signing…",
        busy: state.busy,
        error: state.errorField ? null : state.error,
        autocomplete: "on",
        onSubmit: (values, element) =>
          this.submit(app, tick ? values : { ...values, tick: "on" }, element, { onSigned, ...steps }),
      },
      tick && h(
        "div",
        { class: "field" },
        h(
          "label",
          { class: "tick" },
          h("input", {
            type: "checkbox",
            name: "tick",
            "data-set": true,
            checked: state.ticked,
            required: true,
            "aria-invalid": tickError ? "true" : null,
            "aria-describedby": tickError ? "tick-error" : null,
            onchange: ({ target }) => {
              state.ticked = target.checked;
              app.draw();
            },
          }),
          h("span", {}, tick),
        ),
        tickError && h("p", { class: "error", id: "tick-error", role: "alert" }, tickError),
      ),
      confirmationField(app, {
        id: "password",
        hint: "Your password confirms your signature.",
        error: errorOf("password"),
      }),
    );
  }

  async submit(
    app,
    { tick, password },
    element,
    {
      mustRead = () => null,
      unread = "Please open and read the document first.",
      send,
      onSigned,
      onRefused = () => null,
    },
  ) {
    // The user may leave the screen, which replaces `state`, while the signature is sent.
    const { state } = this;
    const showError = (error, errorField = null, focused = null) => {
      Object.assign(state, { busy: false, error, errorField });
      app.draw();
      focused?.focus();
    };
    const place = mustRead();
    if (place) return showError(unread, null, place);
    if (!tick) return showError("Please tick this box to sign.", "tick", element.elements.tick);
    const missing = hasPassword() ? "Please enter your password." : "Please enter the code.";
    if (!password) return showError(missing, "password", element.elements.password);
    Object.assign(state, { busy: true, error: null, errorField: null });
    app.draw();
    let errors;
    try {
      errors = await send(password);
    } catch (error) {
      return showError(error instanceof OfflineError ? OFFLINE : error.message);
    }
    if (errors.length === 0) {
      state.busy = false;
      return onSigned();
    }
    const [{ code, message }] = errors;
    if (code === "WRONG_PASSWORD" || code === "TOO_MANY_ATTEMPTS") {
      element.elements.password.value = "";
      return showError(message, "password", element.elements.password);
    }
    // The record has changed since it was opened.
    this.reset(onRefused(errors) ?? message);
    app.draw();
    return app.load();
  }
}

/** Returns the action of a record for a mutation: {allowed, reasons}. A copy on the device from an earlier version
 * of the app has none. */
export const actionOf = ({ viewerActions = [] }, mutation) =>
  viewerActions.find((each) => each.mutation === mutation);

/** Returns whether the server would let the viewer do it. */
export const may = (record, mutation) => actionOf(record, mutation)?.allowed ?? false;

/** Returns the server's messages that say why the viewer may not do it, or null. */
export function reasonsOf(record, mutation) {
  const reasons = actionOf(record, mutation)?.reasons ?? [];
  return reasons.length ? notice("plain", ...reasons.map(({ message }) => h("p", { key: message }, message))) : null;
}

/** Returns the list of signatures; `describe(slot)` returns the text of one. */
export function signatureList(slots, describe) {
  return h(
    "ul",
    { class: "slots" },
    slots.map((slot, index) =>
      h(
        "li",
        { class: slot.signedAt && !slot.withdrawnAt ? "signed" : "", key: `${slot.role} ${index}` },
        h("span", { class: "mark" }, slot.signedAt && !slot.withdrawnAt && icon("tick")),
        h("span", {}, ...describe(slot)),
      ),
    ),
  );
}
