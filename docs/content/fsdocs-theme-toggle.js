// The button that changes between light and dark; the choice is kept in the browser.
(() => {
  const toggle = document.getElementById("theme-toggle");
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";

  toggle?.addEventListener("click", () => {
    const theme = (document.documentElement.dataset.theme ?? system) === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
  });
})();
