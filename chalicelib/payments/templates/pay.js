
(function () {
  var place = document.getElementById("status");
  if (!place || !place.dataset.state) { return; }
  var left = 20;
  document.getElementById("reload").hidden = true;
  function look() {
    fetch(place.dataset.state, { cache: "no-store", credentials: "omit" })
      .then(function (answer) { return answer.ok ? answer.json() : null; })
      .then(function (state) { if (state) { show(state.status); } })
      .catch(function () {})
      .then(again);
  }
  function show(status) {
    if (status === place.dataset.now || !place.dataset[status]) { return; }
    place.dataset.now = status;
    place.textContent = place.dataset[status];
  }
  function again() {
    var now = place.dataset.now;
    if (now !== "open" && now !== "pending") { return; }
    if (--left > 0) { setTimeout(look, 3000); return; }
    if (now === "open") { place.textContent = place.dataset.late; }
  }
  setTimeout(look, 1000);
})();
