// Sends the file of an import: the form is checked first, then the file goes as it is, with
// progress and a way to stop; what comes of it is shown below the form, which keeps its input.

const form = document.getElementById("import");
const part = (id) => document.getElementById(id);
let sending = null;

const tell = (sentence) => {
  const box = part("import-problem");
  box.hidden = !sentence;
  box.querySelector(":scope > div").textContent = sentence;
  if (sentence) box.scrollIntoView({ block: "nearest" });
};

const busy = (is) => {
  part("sending").hidden = !is;
  part("stop").hidden = !is;
  part("go").disabled = is;
};

const fields = () => {
  const given = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...given]) if (!value) given.delete(name);
  given.set("file_name", part("file").files[0].name);
  return given;
};

// An answer of the server: what it is, or the sentence that says why not.
const read = (status, text) => {
  if (status === 401) window.location.assign("/console/login");
  try {
    const answer = JSON.parse(text);
    if (status === 200) return answer;
    return { sentence: answer.sentence };
  } catch {
    return { sentence: form.dataset.tooLong };
  }
};

const check = async (given, size) => {
  const body = new URLSearchParams(given);
  body.set("size", String(size));
  try {
    const answer = await fetch(form.dataset.check ?? "/console/imports/check", { method: "POST", body });
    return read(answer.status, await answer.text());
  } catch {
    return { sentence: form.dataset.lost };
  }
};

const send = (given, file) => new Promise((done) => {
  const token = given.get("token");
  given.delete("token");
  sending = new XMLHttpRequest();
  sending.open("POST", `${form.getAttribute("action")}?${given}`);
  sending.setRequestHeader("X-Form-Token", token);
  sending.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    const percent = Math.floor(100 * event.loaded / Math.max(1, event.total));
    part("sending-bar").value = percent;
    part("sent").textContent = `${percent}%`;
  });
  sending.addEventListener("load", () => done(read(sending.status, sending.responseText)));
  sending.addEventListener("error", () => done({ sentence: form.dataset.lost }));
  sending.addEventListener("abort", () => done({}));
  sending.send(file);
});

const start = async () => {
  const file = part("file").files[0];
  if (!file) return;
  tell("");
  part("outcome").replaceChildren();
  part("sending-bar").value = 0;
  part("sent").textContent = "";
  busy(true);
  const given = fields();
  let answer = await check(given, file.size);
  if (!answer.sentence) answer = await send(given, file);
  busy(false);
  sending = null;
  if (answer.sentence) tell(answer.sentence);
  if (answer.address) window.location.assign(answer.address);
  if (answer.operation) {
    await htmx.ajax("GET", answer.operation, { target: "#outcome", swap: "innerHTML" });
    part("outcome").scrollIntoView({ block: "nearest" });
  }
};

form.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
part("stop").addEventListener("click", () => sending?.abort());
part("outcome").addEventListener("click", (event) => {
  if (event.target.id !== "take-changes") return;
  part("accept_changes").checked = true;
  form.requestSubmit();
});
