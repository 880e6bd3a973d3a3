// Charts of the last minutes: lines, or areas that stand on each other. Each has a legend with the
// figures of the moment that is looked at, and says in words what it shows.
'use strict';

const SVG = 'http://www.w3.org/2000/svg';
const CHART_HEIGHT = 150;
const MARGIN = {left: 60, right: 8, top: 8, bottom: 20};

function svg(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// The next round figure above, so that ticks are round as well.
function roundUp(value, base) {
  if (!(value > 0)) return 1;
  const power = base ** Math.floor(Math.log(value) / Math.log(base));
  const steps = base === 1024 ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] : [1, 2, 4, 10];
  return power * steps.find((step) => step * power >= value);
}

// From a figure to a place between 0 and 1, and the figures that get a line.
function linearScale(most) {
  return {place: (value) => value / most, ticks: [0, most / 2, most]};
}

function logScale(least, most) {
  const low = Math.floor(Math.log10(least));
  const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const ticks = [];
  const step = Math.ceil((high - low) / 4);
  for (let power = low; power <= high; power += step) ticks.push(10 ** power);
  return {place: (value) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low), ticks};
}

class Chart {
  // `options`: {format, stacked, scale(values) -> a scale, say(point) -> words}
  constructor(figure, options) {
    this.options = options;
    this.words = element('p', {class: 'unseen', id: `${figure.id}-words`});
    this.svg = svg('svg', {role: 'img', height: CHART_HEIGHT, 'aria-describedby': this.words.id});
    const caption = figure.querySelector('figcaption');
    caption.id = `${figure.id}-title`;
    this.svg.setAttribute('aria-labelledby', caption.id);
    this.legend = element('ul', {class: 'legend'});
    figure.append(this.svg, this.legend, this.words);
    this.entries = new Map();
  }

  // `points`: what model.js keeps; `series`: [{name, label, look, value(point)}]; `window_s`
  // seconds up to `now_s` are shown, and `at` is the point whose figures the legend has.
  draw(points, series, now_s, window_s, at) {
    const width = this.svg.clientWidth || 320;
    const inner = {
      width: width - MARGIN.left - MARGIN.right,
      height: CHART_HEIGHT - MARGIN.top - MARGIN.bottom,
    };
    const stacks = this.stack(points, series);
    const tops = stacks.flatMap((stack) => stack.map(([, top]) => top)).filter(isFigure);
    const scale = this.options.scale(tops);
    const x = (point) => MARGIN.left + inner.width * (1 - (now_s - point.at_s) / window_s);
    const y = (value) => MARGIN.top + inner.height * (1 - Math.min(1, scale.place(value)));
    const parts = this.axes(scale, inner, y, window_s);
    series.forEach((line, index) => {
      parts.push(...this.shape(points, stacks[index], line.look, x, y));
    });
    if (at && points.length > 1 && at !== points[points.length - 1]) {
      parts.push(svg('line', {class: 'cursor', x1: x(at), x2: x(at), y1: MARGIN.top,
        y2: MARGIN.top + inner.height}));
    }
    this.svg.setAttribute('viewBox', `0 0 ${width} ${CHART_HEIGHT}`);
    this.svg.replaceChildren(...parts);
    this.tell(series, at);
  }

  // Of each series the [bottom, top] at each point; null where nothing is known.
  stack(points, series) {
    const below = points.map(() => 0);
    return series.map((line) => points.map((point, index) => {
      const value = line.value(point);
      if (!isFigure(value)) return [null, null];
      const bottom = this.options.stacked ? below[index] : 0;
      if (this.options.stacked) below[index] += value;
      return [bottom, bottom + value];
    }));
  }

  axes(scale, inner, y, window_s) {
    const parts = [];
    for (const tick of scale.ticks) {
      const at = y(tick);
      parts.push(svg('line', {class: 'grid', x1: MARGIN.left, x2: MARGIN.left + inner.width,
        y1: at, y2: at}));
      const text = svg('text', {x: MARGIN.left - 6, y: at + 4, 'text-anchor': 'end'});
      text.textContent = this.options.format(tick);
      parts.push(text);
    }
    const bottom = CHART_HEIGHT - 4;
    const minutes = Math.round(window_s / 60);
    for (const [place, label, anchor] of [[0, `−${minutes} min`, 'start'], [1, 'now', 'end']]) {
      const text = svg('text', {x: MARGIN.left + inner.width * place, y: bottom,
        'text-anchor': anchor});
      text.textContent = label;
      parts.push(text);
    }
    return parts;
  }

  // A path breaks where a figure is missing, and where nobody looked for a while.
  shape(points, stack, look, x, y) {
    const runs = [];
    let run = null;
    points.forEach((point, index) => {
      if (!isFigure(stack[index][1])) {
        run = null;
        return;
      }
      if (!run || point.follows_gap) runs.push(run = []);
      run.push(index);
    });
    const path = (indices, edge) => indices.map(
      (index) => `${x(points[index]).toFixed(1)},${y(stack[index][edge]).toFixed(1)}`).join('L');
    const parts = [];
    for (const indices of runs) {
      if (this.options.stacked) {
        const back = path([...indices].reverse(), 0);
        parts.push(svg('path', {class: `area ${look}`, d: `M${path(indices, 1)}L${back}Z`}));
      }
      // One point alone is a dot.
      const only = indices.length === 1 ? 'h.01' : '';
      parts.push(svg('path', {class: `line ${look}`, d: `M${path(indices, 1)}${only}`}));
    }
    return parts;
  }

  tell(series, at) {
    const words = [];
    for (const line of series) {
      let entry = this.entries.get(line.name);
      if (!entry) {
        entry = {
          item: element('li', {}, element('span', {class: `swatch ${line.look}`})),
          label: element('span', {}), value: element('b', {}),
        };
        entry.item.append(entry.label, ' ', entry.value);
        this.entries.set(line.name, entry);
        this.legend.append(entry.item);
      }
      const value = this.options.format(at ? line.value(at) : null);
      setText(entry.label, line.label);
      setText(entry.value, value);
      words.push(`${line.label} ${value === NOTHING ? 'unknown' : value}`);
    }
    for (const [name, entry] of this.entries) {
      if (series.some((line) => line.name === name)) continue;
      entry.item.remove();
      this.entries.delete(name);
    }
    setText(this.words, words.join(', '));
  }
}
