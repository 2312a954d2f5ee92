"use strict";
// Runs before the first paint: the page is dark where the system is.
{
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    document.documentElement.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
    document.dispatchEvent(new Event("themechange"));
  };
  follow();
  dark.addEventListener("change", follow);
}
