// Tables whose rows are changed in place: who reads one, or has selected text in it, is not
// disturbed by the next figures.
'use strict';

// A cell is a text, or {text, code, note, share}: `code` is shown as typed, below it `note`;
// `share` (0 to 1) is drawn as a bar.
function fillCell(cell, content) {
  const {text, code, note, share} = typeof content === 'object' ? content : {text: content};
  const want = [];
  if (isFigure(share)) want.push(['meter', 'meter', '']);
  if (text !== undefined) want.push(['span', '', text]);
  if (code) want.push(['code', '', code]);
  if (note) want.push(['span', 'note', note]);
  const fits = want.length === cell.children.length && want.every(
    ([name], index) => cell.children[index].localName === name);
  if (!fits) {
    cell.replaceChildren(...want.map(([name, look]) => element(name, look ? {class: look} : {})));
  }
  want.forEach(([name, , wanted], index) => {
    const child = cell.children[index];
    if (name === 'meter') {
      child.value = share;
      child.setAttribute('aria-label', `${text} used`);
    } else {
      setText(child, wanted);
    }
  });
}

function fillRow(row, cells, columns) {
  cells.forEach((content, index) => {
    let cell = row.children[index];
    if (!cell) {
      const isHead = columns[index].isHead;
      cell = element(isHead ? 'th' : 'td', isHead ? {scope: 'row'} : {});
      cell.className = columns[index].look;
      cell.dataset.label = columns[index].label;
      row.append(cell);
    }
    fillCell(cell, content);
  });
}

// `head`: the column that names its row.
function fillTable(body, rows, head) {
  const columns = [...body.parentElement.tHead.rows[0].cells].map(
    (cell, index) => ({look: cell.className, label: cell.textContent, isHead: index === head}));
  if (rows.length === 0) {
    if (body.querySelector('.none')) return;
    body.replaceChildren(element('tr', {}, element(
      'td', {class: 'none', colspan: columns.length}, body.dataset.none)));
    return;
  }
  if (body.querySelector('.none')) body.replaceChildren();
  while (body.rows.length > rows.length) body.lastElementChild.remove();
  rows.forEach((cells, index) => fillRow(body.rows[index] || body.insertRow(), cells, columns));
}

function fillTiles(list, tiles) {
  tiles.forEach(({label, value, note}, index) => {
    let tile = list.children[index];
    if (!tile) {
      tile = element('div', {}, element('dt', {}), element('dd', {class: 'value'}),
        element('dd', {class: 'note'}));
      list.append(tile);
    }
    setText(tile.children[0], label);
    setText(tile.children[1], value);
    setText(tile.children[2], note || '');
  });
}
