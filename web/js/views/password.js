// The form that changes the password: a new user's first step, and on the Account screen.

import { field, form, notice } from "../components.js";
import { announce, h } from "../dom.js";
import { changePassword } from "../session.js";

const FIELDS = ["currentPassword", "newPassword", "again"];
// `error`: null or {field, message}.
const state = { busy: false, error: null };

/** Returns the form; `onChanged()` is called when the password has been changed. */
export function passwordForm(app, onChanged = () => undefined) {
  const { field: invalid, message } = state.error ?? {};
  const errorOf = (name) => (invalid === name ? message : null);
  return h(
    "div",
    {},
    message && !FIELDS.includes(invalid) && notice("bad", h("p", {}, message)),
    form(
      {
        submitLabel: "Change password",
        busyLabel: "Changing…",
        busy: state.busy,
        onSubmit: (values, element) => submit(app, values, element, onChanged),
      },
      field("Current password", {
        id: "currentPassword",
        type: "password",
        autocomplete: "current-password",
        error: errorOf("currentPassword"),
      }),
      field("New password", {
        id: "newPassword",
        type: "password",
        autocomplete: "new-password",
        hint: "At least 8 characters, and hard to guess.",
        error: errorOf("newPassword"),
      }),
      field("New password again", {
        id: "again",
        type: "password",
        autocomplete: "new-password",
        error: errorOf("again"),
      }),
    ),
  );
}

async function submit(app, { currentPassword, newPassword, again }, element, onChanged) {
  if (!currentPassword) state.error = { field: "currentPassword", message: "Please enter your current password." };
  else if (newPassword !== again) state.error = { field: "again", message: "This does not match the new password." };
  else {
    Object.assign(state, { busy: true, error: null });
    app.draw();
    try {
      const error = await changePassword(currentPassword, newPassword);
      state.error = error.message ? error : null;
    } catch (error) {
      state.error = { message: error.message };
    }
    state.busy = false;
  }
  app.draw();
  if (state.error) element.elements[state.error.field]?.focus();
  else {
    if (element.isConnected) element.reset();
    announce("Your password has been changed.");
    onChanged();
  }
}
