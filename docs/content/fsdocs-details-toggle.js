// Opens or closes every member of an API page at once; the choice is kept in the browser.
(() => {
  const opened = () => localStorage.getItem("details-expanded") === "true";

  class DetailsToggle extends HTMLElement {
    connectedCallback() {
      this.setAttribute("role", "button");
      this.tabIndex = 0;
      this.show();
      this.addEventListener("click", () => this.change());
      this.addEventListener("keydown", event => event.key === "Enter" && this.change());
    }

    change() {
      localStorage.setItem("details-expanded", String(!opened()));
      document.querySelectorAll("details").forEach(details => (details.open = opened()));
      this.show();
    }

    show() {
      this.textContent = opened() ? "−" : "+";
      this.title = opened() ? "Collapse details" : "Expand details";
    }
  }

  customElements.define("fsdocs-details-toggle", DetailsToggle);
})();
