// What anybody needs who does not use the page by eye, mouse and wide screen: each function lists
// what is amiss on a page, and nothing where all is well.

// Every control has a name, every table a caption and scopes, every picture a text.
export function withoutNames(page) {
  return page.evaluate(() => {
    const amiss = [];
    const textOf = (ids) => (ids || '').split(' ').filter(Boolean)
      .map((id) => document.getElementById(id)?.textContent || '').join(' ').trim();
    const nameOf = (node) => node.getAttribute('aria-label') || textOf(node.getAttribute(
      'aria-labelledby')) || [...(node.labels || [])].map((label) => label.textContent).join('')
      || (['BUTTON', 'A'].includes(node.tagName) ? node.textContent : '');
    const all = 'button, a[href], input, select, textarea, svg[role], [role=region], dialog, nav';
    for (const node of document.querySelectorAll(all)) {
      if (!nameOf(node).trim()) amiss.push(`no name: ${node.outerHTML.slice(0, 80)}`);
    }
    for (const node of document.querySelectorAll('svg[role=img]')) {
      if (!textOf(node.getAttribute('aria-describedby'))) amiss.push(`no text: ${node.outerHTML}`);
    }
    for (const table of document.querySelectorAll('table')) {
      if (!table.caption?.textContent) amiss.push('a table without a caption');
      for (const cell of table.querySelectorAll('th')) {
        if (!cell.scope) amiss.push(`no scope: ${cell.textContent}`);
      }
    }
    const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
    const again = ids.filter((id, index) => ids.indexOf(id) !== index);
    amiss.push(...again.map((id) => `twice: #${id}`));
    for (const landmark of ['header', 'nav', 'main', 'h1', 'html[lang]', 'title']) {
      if (document.querySelectorAll(landmark).length !== 1) amiss.push(`not one ${landmark}`);
    }
    return amiss;
  });
}

function luminance([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((one) => {
    const part = one / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

// Of the stylesheet's colours: text against what it stands on (4.5:1, WCAG 1.4.3), and what is
// drawn against its ground (3:1, WCAG 1.4.11).
export async function faintColours(page) {
  const colours = await page.evaluate(() => {
    const style = getComputedStyle(document.documentElement);
    const names = ['ground', 'panel', 'text', 'muted', 'accent', 'on-accent', 'danger', 'on-danger',
      'control', 'hits', 'stale', 'misses', 'bypasses', 'app'];
    return Object.fromEntries(names.map((name) => {
      const hex = style.getPropertyValue(`--${name}`).trim();
      return [name, [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))];
    }));
  });
  const texts = ['text', 'muted', 'accent', 'danger'].flatMap(
    (name) => [[name, 'ground', 4.5], [name, 'panel', 4.5]]);
  const drawn = ['hits', 'stale', 'misses', 'bypasses', 'app', 'control'].map(
    (name) => [name, 'panel', 3]);
  return [...texts, ['on-accent', 'accent', 4.5], ['on-danger', 'danger', 4.5], ...drawn]
    .map(([front, back, least]) => [front, back, least, contrast(colours[front], colours[back])])
    .filter(([, , least, got]) => !(got >= least))
    .map(([front, back, least, got]) => `${front} on ${back}: ${got.toFixed(2)}, not ${least}`);
}

// What sticks out of the window; what scrolls within a box of its own does not.
export function tooWide(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const amiss = [];
    if (document.documentElement.scrollWidth > width) {
      amiss.push(`the page is ${document.documentElement.scrollWidth} wide`);
    }
    const isWithinScroller = (node) => node.closest('.scroll > *, header nav > *, .unseen, .skip');
    for (const node of document.body.querySelectorAll('*')) {
      const box = node.getBoundingClientRect();
      if (box.right > width + 0.5 && !isWithinScroller(node)) {
        amiss.push(`${node.localName}#${node.id}.${node.className}: to ${box.right}`);
      }
    }
    return amiss;
  });
}

// The ids of what the Tab key reaches, in order, and whether each shows that it has the focus.
export async function reachedByTab(page) {
  await page.evaluate(() => document.activeElement.blur());
  const reached = [];
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const node = document.activeElement;
      if (node === document.body) return null;
      const name = node.id || node.getAttribute('href') || node.getAttribute('aria-labelledby');
      return {name, outlined: getComputedStyle(node).outlineStyle !== 'none'};
    });
    if (!at || (reached.length && at.name === reached[0].name)) break;
    reached.push(at);
  }
  return reached;
}
