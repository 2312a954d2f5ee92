// Puts variables and short links into the text where the cursor stands. Without it they are typed.

const content = document.getElementById("text");
const insert = document.querySelector(".insert");

const put = (words) => {
  content.setRangeText(words, content.selectionStart, content.selectionEnd, "end");
  content.focus();
  content.dispatchEvent(new Event("input", { bubbles: true }));
};

const written = {
  variable: () => {
    const field = document.getElementById("variable");
    const name = field.value.trim();
    if (!name || !field.reportValidity()) return "";
    field.value = "";
    return `\${${name}}`;
  },
  link: () => {
    const chosen = document.getElementById("link").selectedOptions[0];
    const token = document.getElementById("with-token").checked;
    return token ? `${chosen.value}/\${sp_${chosen.dataset.code}}` : chosen.value;
  },
};

if (content && insert) {
  insert.hidden = false;
  insert.addEventListener("click", (event) => {
    const what = event.target.closest("[data-insert]")?.dataset.insert;
    const words = what ? written[what]() : "";
    if (words) put(words);
  });
}
