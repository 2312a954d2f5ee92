// Shows of a form only the fields that its choices ask for. Without it all of them are there.

const follow = (select, attribute) => {
  const show = () => {
    for (const part of document.querySelectorAll(`[data-${attribute}]`)) {
      part.hidden = !part.getAttribute(`data-${attribute}`).split(" ").includes(select.value);
    }
  };
  select.addEventListener("change", show);
  show();
};

for (const [id, attribute] of [["refresh", "when"], ["scoring", "scoring"], ["baseline", "baseline"], ["whole", "whole"], ["source", "source"], ["to", "to"]]) {
  const select = document.getElementById(id);
  if (select) follow(select, attribute);
}
