/**
 * A strict reader of Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): what promtool
 * would refuse throws here.
 */
import assert from 'node:assert/strict';

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Exposition {
  /** Type by metric. */
  types: ReadonlyMap<string, string>;
  samples: readonly Sample[];
  /** Values of the samples with these labels (and perhaps more), in their order. */
  values: (name: string, labels?: Record<string, string>) => number[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"';
const HELP = new RegExp(`^# HELP (${NAME}) (\\S.*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{((?:${LABEL})(?:,${LABEL})*)?\\})? (\\S+)$`);

const valueOf = (text: string): number => {
  if (text === '+Inf') return Infinity;
  assert.match(text, /^-?\d+(\.\d+)?(e[+-]?\d+)?$/);
  return Number(text);
};

const seriesOf = ({ labels }: Sample): string =>
  JSON.stringify(
    Object.entries(labels)
      .filter(([key]) => key !== 'le')
      .sort(),
  );

/** @throws AssertionError naming the line or the metric that is not as the format wants it */
export function parseExposition(text: string): Exposition {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const helped = new Set<string>();
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  let current = '';
  for (const line of text.split('\n').filter(Boolean)) {
    const [, helpOf] = HELP.exec(line) ?? [];
    const [, typeOf, type] = TYPE.exec(line) ?? [];
    if (helpOf) {
      assert.ok(!helped.has(helpOf), `one HELP for ${helpOf}`);
      helped.add(helpOf);
      current = helpOf;
    } else if (typeOf && type) {
      assert.equal(typeOf, current, 'TYPE follows its HELP');
      assert.ok(!types.has(typeOf), `one TYPE for ${typeOf}`);
      types.set(typeOf, type);
    } else {
      const [, name = '', labelled = ''] = SAMPLE.exec(line) ?? assert.fail(`no sample: ${line}`);
      const family = types.get(current) === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name;
      assert.equal(family, current, 'samples of a metric stand together');
      const labels = Object.fromEntries(
        [...labelled.matchAll(new RegExp(LABEL, 'g'))].map(([, key = '', value = '']) => [key, value]),
      );
      samples.push({ name, labels, value: valueOf(line.slice(line.lastIndexOf(' ') + 1)) });
    }
  }
  const keys = samples.map(({ name, labels }) => `${name} ${JSON.stringify(Object.entries(labels).sort())}`);
  assert.equal(new Set(keys).size, keys.length, 'every series stands once');
  for (const [name, type] of types) checkType(name, type, samples);
  const values: Exposition['values'] = (name, labels = {}) =>
    samples
      .filter(
        (each) => each.name === name && Object.entries(labels).every(([key, value]) => each.labels[key] === value),
      )
      .map(({ value }) => value);
  return { types, samples, values };
}

function checkType(name: string, type: string, samples: readonly Sample[]): void {
  const own = (suffix: string): Sample[] => samples.filter((each) => each.name === name + suffix);
  if (type === 'counter') {
    assert.match(name, /_total$/);
    assert.ok(own('').every(({ value }) => value >= 0));
  }
  if (type !== 'histogram') return;
  for (const count of own('_count')) {
    const buckets = own('_bucket').filter((bucket) => seriesOf(bucket) === seriesOf(count));
    const bounds = buckets.map(({ labels }) => valueOf(labels.le ?? ''));
    const sorted = (numbers: number[]): number[] => [...numbers].sort((a, b) => a - b);
    assert.deepEqual(bounds, sorted(bounds), `${name}: buckets rise`);
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(counts, sorted(counts), `${name}: buckets count what is below them`);
    assert.deepEqual([bounds.at(-1), counts.at(-1)], [Infinity, count.value], `${name}: the last bucket has all`);
    assert.equal(own('_sum').filter((sum) => seriesOf(sum) === seriesOf(count)).length, 1);
  }
}
