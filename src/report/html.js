"use strict";
(function () {
  var byId = function (id) { return document.getElementById(id); };
  var documents = Array.from(document.querySelectorAll("details.doc"));
  var texts = documents.map(function (one) { return one.textContent.toLowerCase(); });
  var show = function () {
    var words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    var rule = byId("rule").value, verdict = byId("verdict").value, shown = 0;
    documents.forEach(function (one, index) {
      var fits = words.every(function (word) { return texts[index].indexOf(word) >= 0; }) &&
        (!verdict || one.dataset.verdict === verdict) &&
        (!rule || one.dataset.rules.split(" ").indexOf(rule) >= 0);
      one.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    byId("shown").textContent = shown + " of " + documents.length + " shown";
  };
  byId("filter").addEventListener("input", show);
  byId("filter").addEventListener("submit", function (event) { event.preventDefault(); });
  byId("filter").hidden = false;
  show();
})();
