// The form of a campaign: shows only what its choices ask for, and asks the server for signatures,
// templates and columns that fit them. Without it a button does the latter, and all fields are there.

const form = document.getElementById("campaign-form");
const PARTS = ["part-signature", "part-text", "part-audience", "part-variables", "part-exclude"];
let asked = 0;

const show = () => {
  for (const part of form.querySelectorAll("[data-when]")) {
    const [name, values] = part.dataset.when.split(":");
    part.hidden = !values.split(" ").includes(form.elements[name]?.value);
  }
};

// Keeps what has been typed or chosen while the answer was on its way.
const keep = (old, fresh, sent) => {
  for (const field of old.querySelectorAll("input, select, textarea")) {
    const now = fresh.querySelector(`[name="${CSS.escape(field.name)}"]`);
    if (!now || field.type === "checkbox" || field.type === "hidden") continue;
    if (field.value !== (sent.get(field.name) ?? "")) now.value = field.value;
  }
};

const redraw = async () => {
  const mine = ++asked;
  const sent = new URLSearchParams(new FormData(form));
  sent.set("redraw", "yes");
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: sent, credentials: "same-origin" });
  } catch {
    return;
  }
  if (answer.status === 401) window.location.assign("/console/login");
  if (!answer.ok || mine !== asked) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.id;
  for (const id of PARTS) {
    const old = document.getElementById(id);
    const fresh = page.getElementById(id);
    if (!old || !fresh) continue;
    keep(old, fresh, sent);
    old.replaceWith(document.adoptNode(fresh));
  }
  show();
  if (focused) document.getElementById(focused)?.focus();
};

if (form) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-shows]")) show();
    if (event.target.matches("[data-redraw]")) redraw();
  });
  for (const fold of form.querySelectorAll("[data-fold]")) {
    fold.addEventListener("toggle", () => {
      fold.querySelector("input[type=hidden]").value = fold.open ? "yes" : "";
    });
  }
  // A field that is folded away cannot say what is wrong with it.
  form.addEventListener("invalid", (event) => {
    const fold = event.target.closest("details");
    if (fold) fold.open = true;
  }, true);
  show();
  document.querySelector("[data-refused]")?.scrollIntoView({ block: "center" });
}
