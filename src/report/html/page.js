"use strict";
(function () {
  var byId = function (id) { return document.getElementById(id); };
  var all = function (selector) { return Array.from(document.querySelectorAll(selector)); };
  var documents = all("details.doc");
  var texts = documents.map(function (one) { return one.textContent.toLowerCase(); });
  // The pieces of the diffs stand in the page once; a container's own are filled in when somebody looks.
  var pieces = Array.from(byId("hunks").content.children);
  var pieceTexts = pieces.map(function (one) { return one.textContent.toLowerCase(); });
  var numbers = documents.map(function (one) {
    var diff = one.querySelector(".diff");
    return diff ? diff.dataset.hunks.split(" ").map(Number) : [];
  });
  var fill = function (diff) {
    if (!diff.dataset.hunks) { return; }
    diff.dataset.hunks.split(" ").forEach(function (number) { diff.appendChild(pieces[number].cloneNode(true)); });
    delete diff.dataset.hunks;
  };
  var fields = ["search", "verdict", "rule", "severity", "image"];
  var holds = function (list, word) { return !word || list.split(" ").indexOf(word) >= 0; };

  var show = function () {
    var words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    var changed = words.map(function (word) { return pieceTexts.map(function (text) { return text.indexOf(word) >= 0; }); });
    var verdict = byId("verdict").value, image = byId("image").value, shown = 0;
    documents.forEach(function (one, index) {
      var fits = words.every(function (word, at) {
        return texts[index].indexOf(word) >= 0 || numbers[index].some(function (number) { return changed[at][number]; });
      }) &&
        (!verdict || one.dataset.verdict === verdict) && (!image || one.dataset.image === image) &&
        holds(one.dataset.rules, byId("rule").value) && holds(one.dataset.severities, byId("severity").value);
      one.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    byId("none").hidden = shown > 0 || documents.length === 0;
    byId("shown").textContent = shown + " of " + documents.length + " shown";
    all("button[aria-pressed]").forEach(function (button) {
      var key = Object.keys(button.dataset)[0];
      button.setAttribute("aria-pressed", String(byId(key).value === button.dataset[key]));
    });
    remember();
  };

  // The address keeps the filters, so that a view can be sent to somebody who has the same file.
  var remember = function () {
    var kept = fields.filter(function (id) { return byId(id).value; }).map(function (id) {
      return id + "=" + encodeURIComponent(byId(id).value);
    });
    try { history.replaceState(null, "", kept.length ? "#" + kept.join("&") : location.pathname + location.search); } catch (refused) { /* from some places a page may not */ }
  };
  var recall = function () {
    location.hash.slice(1).split("&").forEach(function (pair) {
      var at = pair.indexOf("=");
      if (at > 0 && fields.indexOf(pair.slice(0, at)) >= 0) { byId(pair.slice(0, at)).value = decodeURIComponent(pair.slice(at + 1)); }
    });
  };

  var open = function (value) {
    documents.forEach(function (one) { if (!one.hidden) { one.open = value; } });
  };
  byId("filter").addEventListener("input", show);
  byId("filter").addEventListener("submit", function (event) { event.preventDefault(); });
  byId("filter").addEventListener("reset", function () { setTimeout(show, 0); });
  byId("open").addEventListener("click", function () { open(true); });
  byId("close").addEventListener("click", function () { open(false); });
  all("button[aria-pressed]").forEach(function (button) {
    button.addEventListener("click", function () {
      var key = Object.keys(button.dataset)[0], field = byId(key);
      field.value = field.value === button.dataset[key] ? "" : button.dataset[key];
      show();
      byId("documents").scrollIntoView();
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && !/INPUT|SELECT/.test(event.target.tagName)) { event.preventDefault(); byId("search").focus(); }
  });
  var closed = [];
  document.addEventListener("toggle", function (event) {
    if (event.target.open && event.target.classList.contains("diff")) { fill(event.target); }
  }, true);
  addEventListener("beforeprint", function () {
    // On paper a diff is there only where somebody has opened it: a filter has pages of lines.
    closed = all("details.doc").filter(function (one) { return !one.open; });
    closed.forEach(function (one) { one.open = true; });
  });
  addEventListener("afterprint", function () { closed.forEach(function (one) { one.open = false; }); });
  addEventListener("hashchange", function () { recall(); show(); });
  // What is refused lies open where that is few.
  if (documents.length <= 20) {
    documents.forEach(function (one) { one.open = !/would-fix|clean/.test(one.dataset.verdict); });
  }
  byId("filter").hidden = false;
  recall();
  show();
})();
