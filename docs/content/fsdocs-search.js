// Search over the index that the build leaves in search-index.js: every word must occur, titles weigh more than text.
(() => {
  const limit = 20;
  const dialog = document.querySelector("dialog");
  const box = dialog.querySelector("input");
  const list = dialog.querySelector("ul");
  const empty = dialog.querySelector(".empty");
  const root = document.documentElement.dataset.root;

  const pages = (window.searchIndex ?? []).map(page => ({
    title: page.title,
    uri: page.uri,
    name: page.title.toLowerCase(),
    text: [page.content, ...(page.headings ?? [])].join(" ").toLowerCase(),
  }));

  function score(page, words) {
    let total = 0;
    for (const word of words) {
      const inName = page.name === word ? 100 : page.name.startsWith(word) ? 20 : page.name.includes(word) ? 10 : 0;
      const inText = page.text.includes(word) ? 1 : 0;
      if (inName + inText === 0) return 0;
      total += inName + inText;
    }
    return total;
  }

  function search() {
    const words = box.value.toLowerCase().split(/\s+/).filter(word => word.length > 0);
    const found = words.length === 0 ? [] : pages
      .map(page => ({ page, score: score(page, words) }))
      .filter(match => match.score > 0)
      .sort((a, b) => b.score - a.score || a.page.name.length - b.page.name.length)
      .slice(0, limit);

    list.replaceChildren(...found.map(({ page }) => {
      const link = document.createElement("a");
      link.href = root + page.uri;
      link.textContent = page.title;
      const item = document.createElement("li");
      item.append(link);
      return item;
    }));
    empty.style.display = found.length > 0 ? "none" : "block";
    empty.textContent = words.length > 0 ? "Nothing was found." : "Type something to start searching.";
  }

  function open() {
    box.value = "";
    search();
    dialog.showModal();
    box.focus();
  }

  document.getElementById("search-btn").addEventListener("click", open);
  box.addEventListener("input", search);
  dialog.addEventListener("click", event => event.target === dialog && dialog.close());
  addEventListener("keydown", event => {
    const typing = ["INPUT", "TEXTAREA"].includes(document.activeElement?.tagName);
    const asked = (event.key === "/" && !typing) || (event.key === "k" && (event.ctrlKey || event.metaKey));
    if (asked && !dialog.open) {
      event.preventDefault();
      open();
    }
  });
})();
