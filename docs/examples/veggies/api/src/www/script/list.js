fetch("catalog.json").then((answer) => answer.json()).then((catalog) => {
  const list = document.getElementById("list");
  for (const vegetable of catalog) {
    const item = document.createElement("li");
    item.textContent = `${vegetable.name}: ${vegetable.colour}, ${vegetable.season}`;
    list.append(item);
  }
});
