/**
 * Prometheus' text format, for the textfile collector of node_exporter (`.prom`). That reads the file until it is
 * overwritten and refuses one with timestamps, so when the run ended is a metric. Names end in their unit; quantiles are
 * exact, of all valid bursts of one size.
 */
import { openedOf } from '../../names/outcomes.js';
import type { Burst, Result } from '../../result/result.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import { isBeyondData } from '../words/numbers.js';

type Labels = Readonly<Record<string, string | number>>;

interface MetricSample {
  readonly labels: Labels;
  readonly value: number;
  /** `_bucket` and the like. */
  readonly suffix?: string;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type?: 'gauge' | 'histogram' | 'summary';
  readonly samples: readonly MetricSample[];
}

export function renderPrometheus([result]: readonly Result[]): string {
  return metricsOf(result)
    .filter(({ samples }) => samples.length > 0)
    .map(metricText)
    .join('');
}

function metricsOf(result: Result): Metric[] {
  const { totals, bursts, validity, exitCode, thresholds } = result;
  return [
    {
      name: 'wstampede_run_end_timestamp_seconds',
      help: 'When the last run ended, Unix time.',
      samples: [{ labels: { command: result.command }, value: Date.parse(result.endedAt) / 1000 }],
    },
    {
      name: 'wstampede_last_valid',
      help: '1: the last run can be believed; 0: it was invalid.',
      samples: [{ labels: {}, value: validity.verdict === 'invalid' ? 0 : 1 }],
    },
    {
      name: 'wstampede_last_exit_code',
      help: 'Exit code of the last run.',
      samples: [{ labels: {}, value: exitCode }],
    },
    {
      name: 'wstampede_last_attempts',
      help: 'Handshakes of the last run by how they ended; 101 is success.',
      samples: Object.entries(totals.outcomes).map(([outcome, value]) => ({ labels: { outcome }, value })),
    },
    {
      name: 'wstampede_last_lost',
      help: 'Connections that the target closed while they were held, last run.',
      samples: [{ labels: {}, value: totals.lostWhileHeld }],
    },
    ...groupMetrics(groupsOf(bursts)),
    histogramMetric(totals.latencyMs.handshake?.hdr ?? null),
    {
      name: 'wstampede_last_threshold_ok',
      help: '1: the last run met the threshold.',
      samples: thresholds.map(({ expression, ok }) => ({ labels: { expression }, value: ok ? 1 : 0 })),
    },
    {
      name: 'wstampede_last_drop_off_connections',
      help: 'Burst size at which half of the bursts miss the objective, last search; 95 % interval.',
      samples: dropOffSamples(result),
    },
  ];
}

/** Bursts of one kind, size and gate. */
interface BurstGroup {
  readonly labels: Labels;
  readonly bursts: readonly Burst[];
}

function groupsOf(bursts: readonly Burst[]): BurstGroup[] {
  const groups = new Map<string, Burst[]>();
  for (const burst of bursts.filter(({ validity }) => validity.verdict !== 'invalid')) {
    const key = `${burst.kind} ${burst.size} ${burst.gate}`;
    groups.set(key, [...(groups.get(key) ?? []), burst]);
  }
  return [...groups.values()].map((all) => {
    const [{ kind, size, gate }] = all;
    return { labels: { kind, size, gate }, bursts: all };
  });
}

const QUANTILES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p99', 0.99],
] as const;

function groupMetrics(groups: readonly BurstGroup[]): Metric[] {
  const each = (value: (group: BurstGroup) => number | null): MetricSample[] =>
    groups.flatMap((group) => {
      const found = value(group);
      return found === null ? [] : [{ labels: group.labels, value: found }];
    });
  return [
    {
      name: 'wstampede_last_handshake_seconds',
      help: 'Handshake of 101s, last run, exact quantiles of all valid bursts of that size.',
      type: 'summary',
      samples: groups.flatMap(quantileSamples),
    },
    {
      name: 'wstampede_last_opened_ratio',
      help: 'Share of 101s among the handshakes of the valid bursts of that size, last run.',
      samples: each(({ bursts }) => {
        const [opened, attempted] = bursts.reduce(
          ([open, all], burst) => [open + openedOf(burst.outcomes), all + burst.attempted],
          [0, 0],
        );
        return attempted === 0 ? null : opened / attempted;
      }),
    },
    {
      name: 'wstampede_last_release_spread_seconds',
      help: 'First to last start within a burst, the widest of that size, last run.',
      samples: each(({ bursts }) => {
        const spreads = bursts.flatMap(({ release }) => (release === null ? [] : [release.spreadMs]));
        return spreads.length === 0 ? null : Math.max(...spreads) / 1000;
      }),
    },
    {
      name: 'wstampede_burst_released_timestamp_seconds',
      help: 'When the last burst of that size was released, Unix time: to lay it over graphs of the server.',
      samples: each(({ bursts }) => {
        const at = bursts.at(-1)?.releasedAt ?? null;
        return at === null ? null : Date.parse(at) / 1000;
      }),
    },
  ];
}

function quantileSamples({ labels, bursts }: BurstGroup): MetricSample[] {
  const merged = new LatencyHistogram();
  for (const { latencyMs } of bursts) {
    if (latencyMs.handshake !== null) merged.merge(LatencyHistogram.decode(latencyMs.handshake.hdr));
  }
  return QUANTILES.filter(([name]) => !isBeyondData(name, merged.count)).map(([, quantile]) => ({
    labels: { ...labels, quantile },
    value: merged.percentileMs(100 * quantile) / 1000,
  }));
}

/** In seconds; the time limits of common gateways are among them. */
const LIMITS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60, 75, 120,
] as const;

function histogramMetric(hdr: string | null): Metric {
  const histogram = hdr === null ? new LatencyHistogram() : LatencyHistogram.decode(hdr);
  const bars = histogram.bars();
  const below = (limit: number): number =>
    bars.reduce((sum, { fromMs, count }) => (fromMs <= limit * 1000 ? sum + count : sum), 0);
  const { count } = histogram;
  const buckets = LIMITS.map((le) => ({ suffix: '_bucket', labels: { le }, value: below(le) }));
  return {
    name: 'wstampede_last_handshake_duration_seconds',
    help: 'Handshakes that got their 101, all bursts of the last run.',
    type: 'histogram',
    samples:
      count === 0
        ? []
        : [
            ...buckets,
            { suffix: '_bucket', labels: { le: '+Inf' }, value: count },
            { suffix: '_sum', labels: {}, value: (histogram.meanMs * count) / 1000 },
            { suffix: '_count', labels: {}, value: count },
          ],
  };
}

function dropOffSamples({ dropOff }: Result): MetricSample[] {
  if (dropOff === null) return [];
  const [low, high] = dropOff.interval95;
  const bounds = { lower: low, estimate: dropOff.estimate, upper: high };
  return Object.entries(bounds).flatMap(([bound, value]) => (value === null ? [] : [{ labels: { bound }, value }]));
}

function metricText({ name, help, type = 'gauge', samples }: Metric): string {
  const lines = samples.map(({ suffix = '', labels, value }) => `${name}${suffix}${labelsText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(`${value}`)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
